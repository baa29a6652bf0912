"""How OpenVINO is to compile. Imports nothing, so that an exported folder can be loaded by it."""

# As OpenVINO calls them.
PRECISIONS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


def compile_options(dtype):
    """How OpenVINO is to compile, as a dict of its properties."""
    return {"INFERENCE_PRECISION_HINT": PRECISIONS[dtype], "PERFORMANCE_HINT": "LATENCY"}
