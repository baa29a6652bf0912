"""What processor this is, and what it can multiply."""

import pathlib
import platform
import re

# What decides how fast products are, in 32, 16 and 8 bits.
FEATURES = (
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_bf16",
    "amx_int8",
)
# Those of them that multiply and add 8-bit integers in one instruction.
_INT8 = ("avx_vnni", "avx512_vnni", "amx_int8")
_CPUINFO = pathlib.Path("/proc/cpuinfo")


def cpu():
    """The processor: a dict of its `model`, and of its `features` among `FEATURES`.

    The features are None where the system does not tell of them.
    """
    try:
        text = _CPUINFO.read_text(errors="replace")
    except OSError:
        text = ""
    return parse_cpuinfo(text)


def parse_cpuinfo(text):
    """The same from the text of /proc/cpuinfo; Python's word for the model where it has none."""
    model, flags = (
        re.search(rf"^{name}[ \t]*:[ \t]*(.*\S)", text, re.M) for name in ("model name", "flags")
    )
    flags = flags and flags[1].split()
    return {
        "model": model[1] if model else platform.processor() or platform.machine(),
        "features": flags and [name for name in FEATURES if name in flags],
    }


def lacks_int8():
    """Whether the processor is known to have no instructions for products of 8-bit integers."""
    features = cpu()["features"]
    return features is not None and not set(_INT8) & set(features)
