"""The scripts beside the notebooks: run here, loaded as modules, or run without TensorFlow."""

import importlib.util
import os
import pathlib
import runpy
import subprocess
import sys

FOLDER = pathlib.Path(__file__).parents[2] / "notebooks" / "benchmarks"

WITHOUT_TENSORFLOW = """
import os, runpy, sys
for name in ("tensorflow", "tensorflow_text"):
    sys.modules[name] = None
from power_bert_tf.measure import benchmark
# Measured elsewhere: it takes half a minute on a CPU.
benchmark.matrix_product_peak = lambda *arguments, **named: 1e9
del sys.argv[0]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(monkeypatch, name, *arguments):
    """Runs a script as from the command line."""
    path = FOLDER / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(each) for each in (path, *arguments)])
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    runpy.run_path(str(path), run_name="__main__")


def load(name):
    """A new module of a script, which has not done its work."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_under_jax(name, *arguments):
    """Runs a script in a process with JAX on the CPU and no TensorFlow; returns what it printed."""
    process = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, FOLDER / f"{name}.py", *arguments],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=FOLDER.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout
