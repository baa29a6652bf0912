"""Tests of runs: folders, the steps, reports, tuning. They need TensorFlow."""
