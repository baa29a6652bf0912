"""Tests of what looks into a model. They need TensorFlow."""
