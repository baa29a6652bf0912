"""The benchmark: what it measures, what it counts, and that it needs no TensorFlow."""

import dataclasses
import functools
import importlib.util
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from power_bert_tf import methods
from power_bert_tf.cli import main
from power_bert_tf.commands.benchmark import Benchmark
from power_bert_tf.deploy.runtimes import load_runtime
from power_bert_tf.errors import InputError
from power_bert_tf.measure import benchmark
from power_bert_tf.measure import machine
from power_bert_tf.measure.comparison import TEXTBOOK
from power_bert_tf.measure.comparison import WAYS
from power_bert_tf.measure.comparison import labels
from power_bert_tf.measure.comparison import operations
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling.flops import computed_flops
from power_bert_tf.modeling.flops import encoders_flops

LABELS = {TEXTBOOK: "BERT, textbook graph, padded", **labels("PoWER-BERT")}
SMALL = ["20,5", "--size", "bert-tiny", "--sequence-length", "24", "--batch-size", "8"]


@pytest.fixture(autouse=True)
def small_matrices(monkeypatch):
    """The peak of the device, measured in milliseconds instead of seconds."""
    measured = functools.partial(benchmark.matrix_product_peak, sizes=(256,), count=2)
    monkeypatch.setattr(benchmark, "matrix_product_peak", measured)


@pytest.fixture
def lengths(tmp_path):
    path = tmp_path / "lengths.txt"
    path.write_text("\n".join(["9"] * 30 + ["16"] * 10 + ["40"] * 10))
    return path


def test_benchmark(lengths, tmp_path, capsys):
    output = tmp_path / "results" / "figures.json"
    arguments = [*SMALL, "--lengths", str(lengths), "--texts", "20", "--runs", "3"]
    assert main(["benchmark", *arguments, "--output", str(output)]) == 0
    figures = json.loads(output.read_text())
    time = figures["time"]
    assert (time["rounds"], time["texts"], time["batch_size"]) == (3, 20, 8)
    assert set(time["seconds"]) == {TEXTBOOK, *WAYS}
    medians = {name: each["median"] for name, each in time["seconds"].items()}
    assert time["speedup"]["unpadded_over_unpadded"] == pytest.approx(
        medians["bert_unpadded"] / medians["reduced_unpadded"]
    )
    assert figures["matrix_product_peak"] > 1e8
    assert figures["backend"] in figures["versions"]
    assert figures["cpu"] == machine.cpu()
    printed = capsys.readouterr().out
    assert [row["way"] for row in figures["rows"]] == list(LABELS)
    for row in figures["rows"]:
        median, per_text = medians[row["way"]], figures["operations"]["per_text"]
        fewer = per_text["bert_padded"] / per_text.get(row["way"], per_text["bert_padded"])
        assert row["ms_median"] == pytest.approx(1000 * median / 20)
        assert row["faster"] == pytest.approx(medians["bert_padded"] / median)
        assert row["time_over_operations"] == pytest.approx(row["faster"] / fewer)
        cells = f"{row['faster']:.2f}x +{fewer:.2f}x +{row['time_over_operations']:.2f}"
        assert re.search(rf"^{LABELS[row['way']]} .* {cells}$", printed, re.M), row
    counted = figures["operations"]
    computed = counted["computed_per_text"]
    gains = re.search(r"both without padding ([\d.]+)x \(([\d.]+)x; ([\d.]+)x\)", printed).groups()
    assert [float(gain) for gain in gains] == pytest.approx(
        [
            time["speedup"]["unpadded_over_unpadded"],
            counted["speedup"]["unpadded_over_unpadded"],
            computed["bert_unpadded"] / computed["reduced_unpadded"],
        ],
        abs=0.006,
    )


@pytest.mark.parametrize(
    ("options", "runtime", "dtype", "xla"),
    [
        pytest.param(
            ["--runtime", "openvino"], "openvino", "float32", False, marks=pytest.mark.slow
        ),
        (["--dtype", "bfloat16"], "tensorflow", "bfloat16", False),
        pytest.param(["--dtype", "int8"], "openvino", "int8", False, marks=pytest.mark.large),
        pytest.param(["--xla"], "tensorflow", "float32", True, marks=pytest.mark.slow),
    ],
)
def test_what_was_measured_is_stored(tmp_path, capsys, monkeypatch, options, runtime, dtype, xla):
    if runtime == "openvino":
        pytest.importorskip("openvino")
    module, compiled, peaks = load_runtime(runtime, dtype), [], []
    compile_graph = module.compile_graph

    def spy(graph, dtype, jit_compile, batch_size, **calibration):
        compiled.append((dtype, jit_compile))
        return compile_graph(graph, dtype, jit_compile, batch_size, **calibration)

    monkeypatch.setattr(module, "compile_graph", spy)
    monkeypatch.setattr(
        benchmark, "matrix_product_peak", lambda *given: (peaks.append(given), 1e9)[1]
    )
    output = tmp_path / "figures.json"
    assert main(["benchmark", *SMALL, "--runs", "1", *options, "--output", str(output)]) == 0
    figures = json.loads(output.read_text())
    stored = (figures["time"]["runtime"], figures["time"]["dtype"], figures["xla"])
    assert stored == (runtime, dtype, xla)
    assert set(compiled) == {(dtype, xla)}
    assert figures["time"]["texts"] == 8
    # There is no rate of 8-bit products to compare with.
    assert peaks == ([] if dtype == "int8" else [(dtype, runtime)])
    assert runtime in figures["versions"]
    assert f"{runtime} {dtype}{' XLA' if xla else ''} on " in capsys.readouterr().out


def test_the_device_is_named_before_the_cores(monkeypatch):
    monkeypatch.setattr(machine, "device_kind", lambda runtime: f"the GPU of {runtime}")
    device = machine.measured_on("tensorflow")["device"]
    assert re.fullmatch(r"the GPU of tensorflow; \d+ cores, \w+", device)
    monkeypatch.setattr(machine, "device_kind", lambda runtime: None)
    assert re.fullmatch(r"\d+ cores, \w+", machine.measured_on("tensorflow")["device"])


@pytest.mark.parametrize("runtime", [None, "tensorflow", "jax"])
def test_xla_goes_with_the_backends(runtime):
    Benchmark("20,5", xla=True, runtime=runtime)._check()


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_batch_overhead_must_be_a_number_of_at_least_0(value):
    Benchmark("20,5", batch_overhead=0)._check()
    message = f"`batch_overhead` must be a number of at least 0. Received: batch_overhead={value}"
    with pytest.raises(InputError, match=message):
        Benchmark("20,5", batch_overhead=value)._check()


def test_lengths_are_those_of_the_file(lengths):
    sizes = benchmark.spread_lengths(benchmark.read_lengths(lengths), 20, 24)
    # Three fifths, a fifth and a fifth of it; what is longer than N is cut.
    np.testing.assert_array_equal(np.sort(sizes), [9] * 12 + [16] * 4 + [24] * 4)
    assert not (np.diff(sizes) >= 0).all()
    np.testing.assert_array_equal(benchmark.spread_lengths(None, 128, 24), [24] * 128)


def test_operations_are_counted_text_by_text(lengths):
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=128, intermediate_dim=512)
    reduction = Extraction("20,5")
    sizes = benchmark.spread_lengths(benchmark.read_lengths(lengths), 10, 24)
    counted = operations(config, 24, reduction, sizes)
    for name, flops in (("per_text", encoders_flops), ("computed_per_text", computed_flops)):
        assert counted[name]["bert_padded"] == flops(config, 24)
        assert counted[name]["reduced_unpadded"] == pytest.approx(
            np.mean(
                [
                    flops(config, size, reduction.retention.at_length(size))
                    for size in [9] * 6 + [16] * 2 + [24] * 2
                ]
            )
        )


def test_a_run_on_its_own_lengths(finished_run, tmp_path, capsys):
    output, picture = tmp_path / "figures.json", tmp_path / "picture.png"
    arguments = ["--run", str(finished_run.path), "--texts", "16", "--runs", "1"]
    files = ["--output", str(output), "--picture", str(picture)]
    assert main(["benchmark", *arguments, *files]) == 0
    figures, report = json.loads(output.read_text()), finished_run.json("report.json")
    assert figures["configuration"] == report["configuration"]["text"]
    assert figures["title"] == report["title"] == "PoWER-BERT"
    assert figures["sequence_length"] == 12
    assert figures["mean_length"] == pytest.approx(report["mean_length"], abs=0.7)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_model(finished_run, tmp_path):
    output = tmp_path / "figures.json"
    arguments = ["--batch-size", "4", "--runs", "1", "--output", str(output)]
    power = str(finished_run.path / "re-train" / "model.keras")
    assert main(["benchmark", "--model", power, *arguments]) == 0
    found = finished_run.json("report.json")["configuration"]["text"]
    assert json.loads(output.read_text())["configuration"] == found
    model = finished_run.path / "re-train" / "model.keras"
    bert, other, names = Benchmark("3,2", model=model)._models()
    assert not bert.reduction.drops
    assert str(other.reduction.retention) == names["configuration"] == "3,2"


def test_what_a_run_has_found_is_its_own_methods(finished_run, monkeypatch):
    monkeypatch.setitem(methods.METHODS, "every-second", "every_second")
    chosen = Benchmark(run=finished_run.path, method="every-second")
    *_, names = chosen._models()
    report = finished_run.json("report.json")
    assert names["title"] == "PoWER-BERT"
    assert names["configuration"] == report["configuration"]["text"]
    # A configuration is of the method that is named.
    with pytest.raises(InputError, match="every-second takes no configuration"):
        dataclasses.replace(chosen, configuration="3,2")._models()


@pytest.mark.data
def test_lengths_of_a_task(real_data):
    vocabulary = real_data / "data" / "vocab" / "vocab.txt"
    chosen = Benchmark("20,5", task="sst2", vocabulary=vocabulary, tfds_dir=real_data / "tfds")
    sizes = benchmark.spread_lengths(chosen._lengths(), 872, 64)
    assert sizes.mean() == pytest.approx(25.2, abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["20,5", "--size", "bert-huge"], "`size` must be one of .*'bert-huge'"),
        ([], "`configuration` must be given"),
        (["20,5", "--size", "bert-tiny", "--run", "there"], "give one of .* Received: size, run"),
        (["20,5", "--run", "there", "--sequence-length", "8"], "`sequence_length` goes with"),
        (["20,5", "--run", "/nowhere"], "`run` must be a folder that `power-bert fit` made"),
        (["20,5", "--model", "/nowhere"], "there is no model at /nowhere"),
        ([*SMALL, "--runtime", "abacus"], "`runtime` must be one of"),
        ([*SMALL, "--task", "sst2"], "give `task` and `vocabulary` together"),
        ([*SMALL, "--task", "sst2", "--lengths", "/nowhere"], "`lengths` or `task`, not both"),
        (["20,5"], "each of the 12 encoders. Received: 2"),
        (["5,20", "--size", "bert-tiny"], "must not increase"),
        (["200,5", "--size", "bert-tiny"], "not be longer than the sequence length 128"),
        ([*SMALL, "--dtype", "float8"], "`dtype` must be one of"),
        *(
            (
                [*SMALL, "--xla", "--runtime", name],
                f"`xla` goes with the runtime tensorflow. Received: runtime='{name}'",
            )
            for name in ("openvino", "onnx", "litert")
        ),
        ([*SMALL, "--most-drop", "0.5"], "`most_drop` goes with `choose`.* most_drop=0.5"),
        ([*SMALL, "--runs", "0"], "`runs` must be at least 1"),
        ([*SMALL, "--sequence-length", "513"], "`sequence_length` must be at most 512"),
        ([*SMALL, "--lengths", "/nowhere"], "`lengths` must be a file"),
        ([*SMALL, "--lengths", __file__], "`lengths` must be a file with a whole number"),
        ([*SMALL, "--lengths", os.devnull], "lengths of at least 1"),
    ],
)
def test_bad_input(capsys, arguments, message):
    assert main(["benchmark", *arguments]) == 2
    error = capsys.readouterr().err
    assert re.fullmatch(r"power-bert: [^\n]+\n", error) and re.search(message, error)


WITHOUT_TENSORFLOW = """
import importlib.util, sys
for name in ("tensorflow", "tensorflow_text"):
    sys.modules[name] = None
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: (
    None if name.startswith("tensorflow") else find_spec(name, *rest)
)
from power_bert_tf import methods
from power_bert_tf.cli import main
from power_bert_tf.measure import benchmark
benchmark.matrix_product_peak = lambda dtype, runtime: 1e9
sys.exit(main(["benchmark", *sys.argv[1:]]))
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs the extra `jax`")
def test_under_jax_without_tensorflow(lengths, tmp_path):
    output = tmp_path / "figures.json"
    options = ["--runs", "1", "--lengths", lengths, "--output", output]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *SMALL, *options],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "jax float32 XLA on " in done.stdout and LABELS["reduced_unpadded"] in done.stdout
    figures = json.loads(output.read_text())
    assert (figures["time"]["runtime"], figures["xla"]) == ("jax", True)
