"""`power-bert fit --method adapler`: a run that is killed and goes on, and what it is good for."""

import json
import os
import pathlib
import shutil

import keras
import numpy as np
import pytest
from training import toy

import power_bert_tf as pb
from commands.conftest import run_to_the_end
from commands.conftest import snapshot
from commands.conftest import without_timing
from power_bert_tf.cli import main

pytestmark = pytest.mark.slow

OPTIONS = {
    "method": "adapler",
    "sequence-length": 12,
    "batch-size": 16,
    "learning-rate": 2e-2,
    "fine-tuning-epochs": 4,
    "patience": 9,
    "adapting-epochs": 3,
    "gamma": 0.05,
    "phi": 0.1,
    "epoch-limit": 100,
    "no-control": True,
    "seed": 3,
}
TEXTS = ["the film was so good", "bad"]


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def run(materials, tmp_path_factory):
    """A run that was killed twice, in its second step and in its third, and went on."""
    path, real = tmp_path_factory.mktemp("adapler") / "run", os.replace
    arguments = materials.fit(path, OPTIONS)
    places = [path / "saliency" / "saliency.npz", path / "adapt" / "progress" / "epoch-0002"]

    def dies(aside, target):
        if places and pathlib.Path(target) == places[0]:
            places.pop(0)
            raise Killed
        real(aside, target)

    with toy.eagerly(), without_timing(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", dies)
        for _ in range(2):
            with pytest.raises(Killed):
                main(arguments)
        assert (path / "saliency" / "metrics.json").exists()
        return run_to_the_end(path, arguments)


def test_three_steps_are_done_once(run):
    assert "[2/3 saliency] done before" in run.printed and "[3/3 adapt]\n" in run.printed
    state = snapshot(run.path)
    assert main(run.arguments) == 0
    assert snapshot(run.path) == state
    with np.load(run.path / "saliency" / "saliency.npz") as arrays:
        assert arrays["values"].dtype == "float16" and len(arrays["lengths"]) == 96
    kept = sorted(path.name for path in (run.path / "fine-tune").glob("*.keras"))
    assert kept == ["model.keras", "runner-up-1.keras", "runner-up-2.keras"]
    assert run.json("saliency/metrics.json")["findings"] == {"epochs_averaged": 3}


def test_the_kept_epochs_are_different(run):
    kernels = [
        keras.models.load_model(path).get_layer("classifier").kernel.numpy()
        for path in sorted((run.path / "fine-tune").glob("*.keras"))
    ]
    assert not any(np.array_equal(kernels[0], other) for other in kernels[1:])


def test_the_fastest_epoch_within_the_limit_is_kept(run):
    history = run.json("adapt/history.json")
    assert len(history) == 3
    speeds = [logs["dev_times_fewer_operations"] for logs in history]
    assert run.json("adapt/metrics.json")["best_epoch"] == int(np.argmax(speeds)) + 1
    findings = run.json("adapt/metrics.json")["findings"]
    assert len(findings["eta"]) == 2 and len(findings["theta"]) == 1


def test_the_report_counts_each_text(run):
    report = run.json("report.json")
    assert report["title"] == "AdapLeR"
    assert report["configuration"]["text"].startswith("eta ")
    words = report["word_vectors"]
    assert words["unpadded"]["reduced"] < words["unpadded"]["bert"]
    percentiles = words["percentiles"]
    assert len(percentiles["50"]) == 3 and percentiles["5"] <= percentiles["95"]
    assert "| 50 % " in (run.path / "report.md").read_text()
    # Static shapes hide words and drop none.
    assert words["padded"]["reduced"] == words["padded"]["bert"]
    assert "AdapLeR, without padding" in run.printed


def test_it_answers_and_is_followed(run):
    opened = pb.open_run(run.path)
    score = opened.evaluate()
    assert score == pytest.approx(run.json("report.json")["score"]["reduced"], abs=1e-6)
    assert [answer["label"] for answer in opened.predict(TEXTS)]
    assert all(trace.lines() is not None for trace in opened.trace(TEXTS))
    assert main(["predict", str(run.path), *TEXTS]) == 0


def test_it_is_explained(run, tmp_path, capsys):
    picture = tmp_path / "words.png"
    assert main(["explain", str(run.path), TEXTS[0], "--picture", str(picture)]) == 0
    said = capsys.readouterr().out
    assert "label: " in said and "at encoder" in said and "good" in said and picture.exists()
    assert main(["explain", str(run.path), *TEXTS]) == 2
    assert "`texts` must be 1 here. Received: 2" in capsys.readouterr().err


def test_a_step_without_a_model(run, capsys):
    assert main(["evaluate", str(run.path), "--step", "saliency"]) == 2
    assert "the step saliency has no model of its own" in capsys.readouterr().err


@pytest.mark.parametrize("format", ["openvino", "onnx", "saved_model"])
def test_it_is_exported(run, tmp_path, format):
    if format != "saved_model":
        pytest.importorskip({"openvino": "openvino", "onnx": "onnxruntime"}[format])
    opened = pb.open_run(run.path)
    opened.export(tmp_path / "served", format=format)
    if format == "openvino":
        answers = pb.load_exported(tmp_path / "served").predict(TEXTS)
        expected = opened.predict(TEXTS)
        for one, other in zip(answers, expected, strict=True):
            assert one["label"] == other["label"]


def test_it_is_tuned(materials, tmp_path, run):
    options = {**OPTIONS, "max-drop": 100, "trials": 1, "fine-tuning-epochs": 1}
    options["gammas"] = [0.05, 0.5]
    with toy.eagerly(), without_timing():
        assert main(materials.fit(tmp_path / "out", options)) == 0
    opened = pb.open_run(tmp_path / "out")
    assert opened.method.name == "adapler" and opened.report["configuration"]["strength"] > 0
    # Saliency is found once for all trials.
    tuned = json.loads((tmp_path / "out" / "tuning.json").read_text())
    variants = [point["configuration"]["variant"] for point in tuned["points"]]
    assert variants == ["gamma-0.05", "gamma-0.5"]
    files = [path.stat().st_ino for path in (tmp_path / "out").rglob("saliency.npz")]
    assert len(files) > 2 and len(set(files)) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gamma": -1}, "`gamma` must be at least 0. Received: gamma=-1"),
        ({"phi": "nan"}, "`phi` must be at least 0. Received: phi=nan"),
        ({"adapting_epochs": 0}, "`adapting_epochs` must be positive"),
        ({"threshold_learning_rate": 0}, "`threshold_learning_rate` must be positive"),
        ({"epoch_limit": -1}, "`epoch_limit` must be at least 0"),
        ({"max_drop": 1, "phi": 0}, "`phi` must be above 0 to begin with"),
    ],
)
def test_options_out_of_range(materials, tmp_path, capsys, changes, expected):
    assert main(materials.fit(tmp_path / "out", OPTIONS, **changes)) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_saliency_of_other_data(run, materials, tmp_path, capsys):
    """A file from elsewhere, where the step is done: nothing is trained by it."""
    path = tmp_path / "run"

    shutil.copytree(run.path, path)
    for name in ("adapt", "report.json"):
        target = path / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    file = path / "saliency" / "saliency.npz"
    with np.load(file) as arrays:
        changed = {**arrays, "owner": np.array("another")}
    np.savez(file, **changed)
    with toy.eagerly():
        assert main(materials.fit(path, OPTIONS)) == 2
    assert "must hold the saliency of these training examples" in capsys.readouterr().err
    assert not (path / "adapt" / "model.keras").exists()
