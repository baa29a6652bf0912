"""Tests of operations, time and the machine. They need TensorFlow."""
