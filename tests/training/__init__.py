"""Tests of the three steps. They need TensorFlow, as the package above `modeling` does."""
