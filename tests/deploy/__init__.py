"""Tests of inference and export. They need TensorFlow."""
