"""What is told of the processor, and of its instructions."""

import platform
import sys

import pytest

from power_bert_tf.deploy import processor

# Two processors of a server, with the lines that are read and some that must not be.
CPUINFO = """\
processor\t: 0
vendor_id\t: GenuineIntel
model\t\t: 207
model name\t: Intel(R) Xeon(R) Processor @ 2.30GHz
cpu MHz\t\t: 2300.000
vmx flags\t: vnmi amx_int8
flags\t\t: fpu sse2 avx2 {} avx512f avx512dq avx512_fp16
power management:

processor\t: 1
model name\t: Another
flags\t\t: fpu amx_int8
"""
WITHOUT_AMX = CPUINFO.format("avx512_bf16")
WITH_AMX = CPUINFO.format("amx_tile amx_bf16 avx512_bf16")


def test_the_model_and_its_instructions():
    assert processor.parse_cpuinfo(WITHOUT_AMX) == {
        "model": "Intel(R) Xeon(R) Processor @ 2.30GHz",
        "features": ["avx2", "avx512f", "avx512_bf16", "avx512_fp16"],
    }
    assert processor.parse_cpuinfo(WITH_AMX)["features"] == [
        "avx2",
        "avx512f",
        "avx512_bf16",
        "avx512_fp16",
        "amx_tile",
        "amx_bf16",
    ]
    # The names are whole words: avx512f is none of its relatives.
    assert processor.parse_cpuinfo("flags\t\t: avx512fx xavx2")["features"] == []


@pytest.mark.parametrize(
    "text", ["", "processor\t: 0\nFeatures\t: fp asimd bf16\n", "model name\t: \nflags\t\t:\n"]
)
def test_what_the_system_does_not_tell(monkeypatch, text):
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert processor.parse_cpuinfo(text) == {"model": "arm", "features": None}
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert processor.parse_cpuinfo(text)["model"] == "aarch64"


def test_the_file_is_read_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    assert processor.cpu() == {"model": "arm", "features": None}
    (tmp_path / "cpuinfo").write_bytes(WITH_AMX.encode() + b"\xff\n")
    assert processor.cpu() == processor.parse_cpuinfo(WITH_AMX)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_this_machine():
    assert processor.cpu()["model"]


def test_products_of_8_bit_integers(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    # Nothing is said of a processor that is not known.
    assert not processor.lacks_int8()
    for features, lacks in ((WITHOUT_AMX, True), (CPUINFO.format("avx512_vnni"), False)):
        (tmp_path / "cpuinfo").write_text(features)
        assert processor.lacks_int8() is lacks
