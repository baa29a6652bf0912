"""Tests of the methods. They run under TensorFlow and under JAX."""

import os

# Under JAX nearly all the time goes into compiling small functions that run once. JAX reads this
# when it is imported, which is after this.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
