"""The three steps from a checkpoint and files of one's own to a report."""

import importlib.metadata
import json
import shutil

import numpy as np
import pytest
from training import toy

import power_bert_tf as pb
from commands.conftest import snapshot
from commands.conftest import without_timing
from power_bert_tf.cli import main
from power_bert_tf.deploy.runtimes import mode_name
from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling.flops import encoders_flops
from power_bert_tf.runs.fit import job_of_run
from power_bert_tf.runs.folder import RunFolder

# One epoch each, and no search.
PLAIN = {"sequence-length": 12, "batch-size": 16, "retention": "9,4", "epochs": 1}
STEPS = ("fine-tune", "search", "re-train")
WAYS = ("bert_padded", "bert_unpadded", "reduced_padded", "reduced_unpadded")
LABELS = (
    "BERT, padded to N",
    "BERT, without padding",
    "PoWER-BERT, padded to N",
    "PoWER-BERT, without padding",
)


def cells_of(line):
    """A row of a table in Markdown."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_run_has_all_of_its_files(finished_run):
    files = {name for name, content in snapshot(finished_run.path).items() if content is not None}
    expected = {"settings.json", "vocab.txt", "dev.jsonl", "calibration.jsonl"}
    expected |= {f"report.{kind}" for kind in ("md", "json", "html")}
    for step in STEPS:
        expected |= {f"{step}/{name}" for name in ("model.keras", "history.json", "metrics.json")}
    expected |= {"search/masses.json", "search/masses.png"}
    expected |= {f"{step}/answers-dev.npy" for step in ("fine-tune", "re-train")}
    assert files == expected


def test_settings_say_what_was_asked(finished_run, materials):
    settings = finished_run.json("settings.json")
    assert settings["identity"]["task"]["learning_rate"] == 2e-2
    assert settings["identity"]["seed"] == 3
    options = settings["identity"]["options"]
    assert settings["identity"]["method"] == "power-bert"
    assert settings["identity"]["fine_tuning_epochs"] == 7
    assert (options["search_epochs"], options["retraining_epochs"]) == (4, 3)
    assert (options["retention_learning_rate"], options["strength"]) == (5e-2, 0.02)
    assert settings["steps"] == list(STEPS)
    assert settings["examples"] == {"train": 96, "dev": 32}
    assert settings["checkpoint"] == str(materials.checkpoint)
    assert settings["versions"]["keras"] == importlib.metadata.version("keras")
    dev = toy.examples(32, seed=2)
    assert settings["identity"]["dev"] == dev.fingerprint()


def test_the_search_is_recorded(finished_run):
    masses = finished_run.json("search/masses.json")
    assert masses["steps"] == list(range(4 * 6 + 1))
    assert masses["masses"][0] == [12.0, 12.0]
    assert masses["final_masses"] == masses["masses"][-1]
    np.testing.assert_allclose(
        np.sum(masses["retention_parameters"], axis=1), masses["final_masses"], rtol=1e-5
    )
    assert np.shape(masses["retention_parameters"]) == (2, 12)
    retention = RetentionConfiguration.from_masses(masses["final_masses"], 12)
    metrics = finished_run.json("search/metrics.json")
    assert metrics["findings"] == {"retention": str(retention)}
    # Something was learnt: neither everything nor next to nothing is kept.
    assert 12 > retention.lengths[0] >= retention.lengths[1] > 1


def test_the_report_has_scores_and_retention(finished_run):
    report = finished_run.json("report.json")
    metrics = {step: finished_run.json(f"{step}/metrics.json") for step in STEPS}
    score = report["score"]
    assert report["task"] == "train" and report["metric"] == "accuracy"
    assert score["bert"] == metrics["fine-tune"]["score"] >= 0.9
    assert score["reduced"] == metrics["re-train"]["score"] >= 0.8
    assert score["drop_points"] == pytest.approx(100 * (score["bert"] - score["reduced"]))
    assert report["configuration"] == {
        "variant": "absolute",
        "search": "paper",
        "strength": 0.02,
        "text": metrics["search"]["findings"]["retention"],
    }
    assert report["sequence_length"] == 12
    assert report["seconds_training"].keys() == set(STEPS)


def test_the_report_counts_word_vectors_and_operations(finished_run):
    report = finished_run.json("report.json")
    retention = RetentionConfiguration.parse(report["configuration"]["text"])
    sizes = [min(len(text.split()) + 2, 12) for text in toy.examples(32, seed=2).texts]
    assert report["mean_length"] == pytest.approx(np.mean(sizes))
    vectors = report["word_vectors"]
    assert vectors["padded"] == {"bert": 24, "reduced": sum(retention.lengths)}
    assert vectors["unpadded"]["bert"] == pytest.approx(2 * np.mean(sizes))
    assert vectors["unpadded"]["reduced"] == pytest.approx(
        np.mean([sum(retention.at_length(size)) for size in sizes])
    )
    config, per_text = toy.config(), report["operations"]["per_text"]
    assert per_text == pytest.approx(
        {
            "bert_padded": encoders_flops(config, 12),
            "reduced_padded": encoders_flops(config, 12, retention.at_length(12)),
            "bert_unpadded": np.mean([encoders_flops(config, size) for size in sizes]),
            "reduced_unpadded": np.mean(
                [encoders_flops(config, size, retention.at_length(size)) for size in sizes]
            ),
        }
    )
    speedup = report["operations"]["speedup"]
    assert speedup["padded_over_padded"] == pytest.approx(
        per_text["bert_padded"] / per_text["reduced_padded"]
    )
    assert speedup["unpadded_over_unpadded"] == pytest.approx(
        per_text["bert_unpadded"] / per_text["reduced_unpadded"]
    )
    assert speedup["bert_by_skipping_padding"] * speedup["unpadded_over_unpadded"] == (
        pytest.approx(speedup["unpadded_over_padded"])
    )


def test_the_report_has_times_against_both_baselines(finished_run):
    time = finished_run.json("report.json")["time"]
    assert set(time["seconds"]) == set(WAYS)
    assert time["texts"] == 32 and time["rounds"] >= 5
    for each in time["seconds"].values():
        assert 0 < each["p5"] <= each["median"] <= each["p95"]
    medians = {name: each["median"] for name, each in time["seconds"].items()}
    assert time["speedup"]["padded_over_padded"] == pytest.approx(
        medians["bert_padded"] / medians["reduced_padded"]
    )
    assert time["speedup"]["unpadded_over_unpadded"] == pytest.approx(
        medians["bert_unpadded"] / medians["reduced_unpadded"]
    )


def test_the_report_says_what_is_fastest_here(finished_run):
    modes = finished_run.json("report.json")["modes"]
    assert {(mode["runtime"], mode["dtype"]) for mode in modes} >= {
        ("tensorflow", "float32"),
        ("tensorflow", "bfloat16"),
    }
    times = [mode["ms_a_text"] for mode in modes]
    assert 0 < times[0] and times == sorted(times)
    written = (finished_run.path / "report.md").read_text()
    fastest = f"Fastest here: {mode_name(modes[0])} (ms a text"
    seconds = finished_run.json("report.json")["time"]["seconds"]
    padded, unpadded = (seconds[f"reduced_{way}"]["median"] for way in ("padded", "unpadded"))
    ways = ("packed rows", "padding to N")[:: 1 if unpadded < padded else -1]
    gain = max(padded, unpadded) / min(padded, unpadded)
    buckets = f"and {ways[0]}, {gain:.2f} times as fast as {ways[1]} (in tensorflow float32)."
    printed = " ".join(finished_run.printed.split())
    for sentence in (fastest, buckets):
        assert sentence in " ".join(written.split()) and sentence in printed


def test_the_report_can_be_read(finished_run):
    report, text = finished_run.json("report.json"), (finished_run.path / "report.md").read_text()
    rows = [cells_of(line) for line in text.splitlines() if line.startswith("|")]
    starts = [row[:2] for row in rows]
    assert ["BERT, fine-tuned", f"{100 * report['score']['bert']:.2f}"] in starts
    assert ["PoWER-BERT", f"{100 * report['score']['reduced']:.2f}"] in starts
    assert f"Drop: {report['score']['drop_points']:.2f} points;" in text
    assert "No control was trained" in text
    assert f"(absolute, lambda 0.02): `{report['configuration']['text']}`" in text
    kept = report["word_vectors"]["padded"]["reduced"]
    assert f"Word-vectors kept over all encoders: {kept} of\n24 with padding" in text
    flops, seconds = report["operations"]["per_text"], report["time"]["seconds"]
    bases = ("bert_padded", "bert_unpadded")
    for way, label in zip(WAYS, LABELS, strict=True):
        cells = [f"{flops[way] / 1e9:.3f}"]
        cells += [f"{flops[base] / flops[way]:.2f}x" for base in bases]
        cells.append(f"{1000 * seconds[way]['median'] / 32:.2f}")
        cells += [f"{seconds[base]['median'] / seconds[way]['median']:.2f}x" for base in bases]
        assert [label, *cells] in rows


def test_one_summary_ends_the_run(finished_run):
    report = finished_run.json("report.json")
    *_, summary = finished_run.printed.split("\n\ntrain, accuracy on 32 dev examples: ")
    assert summary.startswith(f"{100 * report['score']['bert']:.1f} BERT, ")
    assert (
        f"Retention configuration (absolute, lambda 0.02): {report['configuration']['text']}"
        in summary
    )
    assert summary.endswith(f"Report: {finished_run.path / 'report.md'}\n")
    assert finished_run.printed.count("Retention configuration (absolute") == 1
    cost = "Epochs, of 6 training steps, at most: 7 of fine-tune, 4 of search, 3 of re-train\n"
    assert cost in finished_run.printed.split("[1/3 fine-tune]")[0]
    said = finished_run.printed.split("[2/3 search]")[0]
    assert "At that rate the other steps take at most 0 minutes." in said
    for title in ("[1/3 fine-tune]", "[2/3 search]", "[3/3 re-train]"):
        assert finished_run.printed.count(title) == 1


def test_the_same_command_repeats_nothing(finished_run, capsys):
    before = snapshot(finished_run.path)
    assert main(finished_run.arguments) == 0
    assert snapshot(finished_run.path) == before
    printed = capsys.readouterr().out
    assert printed.count("done before") == 3
    assert "Epoch" not in printed
    summary = finished_run.printed.split("\n\ntrain, accuracy")[1]
    assert printed.endswith(f"\n\ntrain, accuracy{summary}")


def test_what_a_killed_run_left_behind_goes(finished_run):
    progress = finished_run.path / "search" / "progress"
    progress.mkdir()
    (progress / "state.npz").write_bytes(b"")
    assert main(finished_run.arguments) == 0
    assert not progress.exists()


def test_a_retention_of_ones_own_skips_the_search(pairs_run):
    assert not (pairs_run.path / "search").exists()
    assert "search" not in pairs_run.printed
    assert "[2/2 re-train with 9,4 of 16]" in pairs_run.printed
    report = pairs_run.json("report.json")
    assert report["configuration"] == {
        "variant": "relative",
        "search": None,
        "strength": None,
        "text": "9,4 of 16",
    }
    assert report["seconds_training"].keys() == {"fine-tune", "re-train"}
    assert report["metric"] == "f1"
    text = (pairs_run.path / "report.md").read_text()
    assert "Retention configuration (relative, given): `9,4 of 16`" in text
    model = RunFolder.open(pairs_run.path).finished_step().load_model()
    assert str(model.reduction.retention) == "9,4 of 16"


# A run stands by itself


def test_a_run_may_be_moved_and_opened_from_anywhere(finished_run, tmp_path, monkeypatch, capsys):
    """Neither its files nor the place where it was made are there any more."""
    moved = shutil.copytree(finished_run.path, tmp_path / "elsewhere" / "moved")
    settings = json.loads((moved / "settings.json").read_text())
    for name in ("train", "dev"):
        assert settings["source"][name].startswith("/")
        settings["source"][name] = "/nowhere"
    (moved / "settings.json").write_text(json.dumps(settings))
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "elsewhere/moved"]) == 0
    expected = finished_run.json("report.json")["score"]["reduced"]
    said = f"accuracy {100 * expected:.2f} on 32 dev examples (re-train)\n"
    assert capsys.readouterr().out.startswith(said)
    assert pb.open_run("elsewhere/moved").report == finished_run.json("report.json")


@pytest.mark.slow
def test_paths_are_kept_absolute(materials, finished_run, tmp_path, monkeypatch):
    monkeypatch.chdir(materials.folder)
    options = {"checkpoint": "checkpoint", "train": "train.tsv", "dev": "dev.tsv"}
    with toy.eagerly(), without_timing():
        assert main(materials.fit(tmp_path / "run", PLAIN, **options)) == 0
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert settings["checkpoint"] == str(materials.checkpoint)
    assert settings["source"]["train"] == str(materials.train)
    monkeypatch.chdir(tmp_path)
    job = job_of_run(pb.open_run("run"))
    assert job.data.train.fingerprint() == settings["identity"]["train"]
    assert job.data.task.sequence_length == 12


def test_a_run_of_another_layout_is_refused(finished_run, tmp_path, capsys):
    run = shutil.copytree(finished_run.path, tmp_path / "run")
    settings = json.loads((run / "settings.json").read_text())
    for layout in (None, 1, 99):
        settings["layout"] = layout
        (run / "settings.json").write_text(json.dumps(settings))
        for arguments in (["evaluate", str(run)], [*finished_run.arguments, "--output", str(run)]):
            assert main(arguments) == 2
            error = capsys.readouterr().err
            assert error.count("\n") == 1 and f"Received: layout {layout}" in error


# In Python


@pytest.mark.slow
def test_a_run_in_python(materials, tmp_path):
    train, dev = toy.examples(32, seed=1), toy.examples(16, seed=2)
    columns = {"text": train.texts, "label": [toy.LABELS[label] for label in train.labels]}
    options = {"checkpoint": materials.checkpoint, "output": tmp_path / "run"}
    options |= {"sequence_length": 12, "epochs": 1, "retention": "9,4", "seed": 3}
    test = toy.examples(24, seed=6)
    options["test"] = {"text": test.texts, "label": test.labels}
    with toy.eagerly(), without_timing():
        run = pb.fit(columns, (dev.texts, dev.labels), **options)
        # Called again, it is there.
        state = snapshot(tmp_path / "run")
        again = pb.fit(train, dev, **options)
    assert snapshot(tmp_path / "run") == state and again.report == run.report
    assert run.report["configuration"]["text"] == "9,4"
    assert run.task.labels == toy.LABELS and run.options.retention == "9,4"
    report = run.report
    assert report["measured_by"] == "test" and report["examples"]["test"] == 24
    assert run.evaluate() == pytest.approx(report["models"]["re-train"]["dev"])
    assert run.evaluate(test) == pytest.approx(report["score"]["reduced"])
    assert run.evaluate(test, step=report["bert"]) == pytest.approx(report["score"]["bert"])
    answers = run.predict(["so good a film", "bad"])
    expected = np.asarray(run.model()(run.preprocessor(["so good a film", "bad"])))
    for answer, row in zip(answers, expected, strict=True):
        assert list(answer["probabilities"].values()) == pytest.approx(row.tolist(), abs=1e-5)
    assert (tmp_path / "run" / "report.md").read_text().startswith("# PoWER-BERT on examples\n")
    opened = pb.open_run(tmp_path / "run")
    assert opened.evaluate() == run.evaluate()
    with pytest.raises(InputError, match="`train` must be given: .* from examples in memory"):
        job_of_run(opened)
    again = job_of_run(opened, train).data
    assert again.train.fingerprint() == train.fingerprint()
    assert again.test.fingerprint() == test.fingerprint()


def test_arguments_that_cannot_be_used(materials, tmp_path):
    good = {"checkpoint": materials.checkpoint, "output": tmp_path / "run", "sequence_length": 12}
    train = toy.examples(16)
    for arguments, options, expected in (
        ((train,), {"batchsize": 3}, "unknown options for the method power-bert.*batchsize"),
        ((train,), {"method": "other"}, "`method` must be one of power-bert"),
        ((train,), {"epochs": 0}, "`epochs` must be positive"),
        (({"words": []},), {}, "`train` must be `Examples`, a mapping"),
        ((["a", "b"],), {}, "`train` must be `Examples`, a mapping"),
        (({"text": ["a", "b"], "label": ["x", "x"]},), {}, "two or more classes"),
        ((train, {"text": ["a"], "label": ["fine"]}), {}, "labels of `dev` must be of.*fine"),
        ((train,), {"task": "mrpc"}, "`task` must be a `Task`"),
    ):
        with pytest.raises(InputError, match=expected):
            pb.fit(*arguments, **{**good, **options})
    assert list(tmp_path.iterdir()) == []
