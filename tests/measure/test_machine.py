"""What is told of the machine: a GPU where there is one."""

import sys
import types

import tensorflow as tf

from power_bert_tf.measure import machine


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
