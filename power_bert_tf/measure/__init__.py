"""What answers cost: operations in closed form, wall clock side by side, the machine's peak."""
