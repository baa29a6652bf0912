"""Checkpoints of every layout, matched tensor by tensor."""
