"""Tests of the graphs. They run under TensorFlow and under JAX."""

import layers  # noqa: F401  Sets how JAX compiles, before JAX is imported.
