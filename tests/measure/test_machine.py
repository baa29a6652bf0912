"""What is told of the machine: the processor, its instructions, and a GPU where there is one."""

import platform
import sys
import types

import pytest
import tensorflow as tf

from power_bert_tf.measure import machine

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
    assert machine.parse_cpuinfo(WITHOUT_AMX) == {
        "model": "Intel(R) Xeon(R) Processor @ 2.30GHz",
        "features": ["avx2", "avx512f", "avx512_bf16", "avx512_fp16"],
    }
    assert machine.parse_cpuinfo(WITH_AMX)["features"] == [
        "avx2",
        "avx512f",
        "avx512_bf16",
        "avx512_fp16",
        "amx_tile",
        "amx_bf16",
    ]
    # The names are whole words: avx512f is none of its relatives.
    assert machine.parse_cpuinfo("flags\t\t: avx512fx xavx2")["features"] == []


@pytest.mark.parametrize(
    "text", ["", "processor\t: 0\nFeatures\t: fp asimd bf16\n", "model name\t: \nflags\t\t:\n"]
)
def test_what_the_system_does_not_tell(monkeypatch, text):
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    assert machine.parse_cpuinfo(text) == {"model": "arm", "features": None}
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert machine.parse_cpuinfo(text)["model"] == "aarch64"


def test_the_file_is_read_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "cpuinfo")
    assert machine.cpu() == {"model": "arm", "features": None}
    (tmp_path / "cpuinfo").write_bytes(WITH_AMX.encode() + b"\xff\n")
    assert machine.cpu() == machine.parse_cpuinfo(WITH_AMX)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_this_machine():
    assert machine.cpu()["model"]


def test_a_gpu_is_named(monkeypatch):
    gpus, details = [], {"second": {"device_name": "another"}}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus * (kind == "GPU"))
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details[gpu])
    assert machine.device_kind("tensorflow") is None
    gpus += ["first", "second"]
    details["first"] = {"device_name": "NVIDIA H200"}
    assert machine.device_kind("tensorflow") == "NVIDIA H200"
    # TensorFlow does not know the name of each.
    details["first"] = {}
    assert machine.device_kind("tensorflow") == "GPU"
    # The others compute on the processor.
    assert machine.device_kind("openvino") is None


def test_the_device_of_jax(monkeypatch):
    # Not JAX itself: once it has looked for devices, this process must not fork any more.
    jax = types.SimpleNamespace(devices=lambda: [types.SimpleNamespace(device_kind="NVIDIA H200")])
    monkeypatch.setitem(sys.modules, "jax", jax)
    assert machine.device_kind("jax") == "NVIDIA H200"
