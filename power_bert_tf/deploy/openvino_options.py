"""How OpenVINO is to compile. Imports nothing, so that an exported folder can be loaded by it."""

# What it computes in, as it calls them. A model that is quantized says itself which products are
# of 8 bits; the rest is in 32.
PRECISIONS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "f32"}


def compile_options(dtype):
    """How OpenVINO is to compile, as a dict of its properties."""
    return {"INFERENCE_PRECISION_HINT": PRECISIONS[dtype], "PERFORMANCE_HINT": "LATENCY"}
