"""Tests of what stands beside the notebooks."""
