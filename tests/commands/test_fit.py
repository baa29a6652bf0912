"""The three steps from a checkpoint and files of one's own to a report."""

import dataclasses
import importlib.metadata
import importlib.util
import json
import re

import numpy as np
import pytest
from training import toy

from commands.conftest import snapshot
from commands.conftest import write_checkpoint
from commands.conftest import write_tsv
from commands.conftest import write_weights
from power_bert_tf.cli import main
from power_bert_tf.commands.fit import Fit
from power_bert_tf.commands.fit_data import tokenizer_for
from power_bert_tf.commands.run_options import fit_of
from power_bert_tf.data import Examples
from power_bert_tf.deploy.flops import encoders_flops
from power_bert_tf.deploy.runtimes import mode_name
from power_bert_tf.errors import InputError
from power_bert_tf.modeling import RetentionConfiguration
from power_bert_tf.modeling import open_checkpoint
from power_bert_tf.training.run_folder import RunFolder

STEPS = ("fine-tune", "search", "re-train")
WAYS = ("bert_padded", "bert_unpadded", "power_bert_padded", "power_bert_unpadded")
LABELS = (
    "BERT, padded to N",
    "BERT, without padding",
    "PoWER-BERT, padded to N",
    "PoWER-BERT, without padding",
)


def test_a_run_has_all_of_its_files(finished_run):
    files = {name for name, content in snapshot(finished_run.path).items() if content is not None}
    expected = {"settings.json", "vocab.txt", "retention.json", "report.md", "report.json"}
    for step in STEPS:
        expected |= {f"{step}/{name}" for name in ("model.keras", "history.json", "metrics.json")}
    expected.add("search/masses.json")
    if importlib.util.find_spec("matplotlib"):
        expected.add("search/masses.png")
    assert files == expected


def test_settings_say_what_was_asked(finished_run, materials):
    settings = finished_run.json("settings.json")
    assert settings["identity"]["task"]["learning_rate"] == 2e-2
    assert settings["identity"]["seed"] == 3
    assert settings["identity"]["epochs"] == {"fine-tune": 7, "search": 4, "re-train": 3}
    assert settings["examples"] == {"train": 96, "dev": 32}
    assert settings["command"]["checkpoint"] == str(materials.checkpoint)
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
    retention = RunFolder.open(finished_run.path).retention()
    assert retention == RetentionConfiguration.from_masses(masses["final_masses"], 12)
    # Something was learnt: neither everything nor next to nothing is kept.
    assert 12 > retention.lengths[0] >= retention.lengths[1] > 1


def test_the_report_has_scores_and_retention(finished_run):
    report = finished_run.json("report.json")
    metrics = {step: finished_run.json(f"{step}/metrics.json") for step in STEPS}
    score = report["score"]
    assert report["task"] == "train" and report["metric"] == "accuracy"
    assert score["bert"] == metrics["fine-tune"]["score"] >= 0.9
    assert score["power_bert"] == metrics["re-train"]["score"] >= 0.8
    assert score["drop_points"] == pytest.approx(100 * (score["bert"] - score["power_bert"]))
    assert report["retention"] == metrics["search"]["retention"]
    assert report["basis"] == "absolute" and report["strength"] == 0.02
    assert report["sequence_length"] == 12
    assert report["seconds_training"].keys() == set(STEPS)


def test_the_report_counts_word_vectors_and_operations(finished_run):
    report = finished_run.json("report.json")
    retention = RetentionConfiguration.parse(report["retention"])
    sizes = [min(len(text.split()) + 2, 12) for text in toy.examples(32, seed=2).texts]
    assert report["mean_length"] == pytest.approx(np.mean(sizes))
    vectors = report["word_vectors"]
    assert vectors["padded"] == {"bert": 24, "power_bert": sum(retention.lengths)}
    assert vectors["unpadded"]["bert"] == pytest.approx(2 * np.mean(sizes))
    assert vectors["unpadded"]["power_bert"] == pytest.approx(
        np.mean([sum(retention.at_length(size)) for size in sizes])
    )
    config, per_text = toy.config(), report["operations"]["per_text"]
    assert per_text == pytest.approx(
        {
            "bert_padded": encoders_flops(config, 12),
            "power_bert_padded": encoders_flops(config, 12, retention),
            "bert_unpadded": np.mean([encoders_flops(config, size) for size in sizes]),
            "power_bert_unpadded": np.mean(
                [encoders_flops(config, size, retention) for size in sizes]
            ),
        }
    )
    speedup = report["operations"]["speedup"]
    assert speedup["padded_over_padded"] == pytest.approx(
        per_text["bert_padded"] / per_text["power_bert_padded"]
    )
    assert speedup["unpadded_over_unpadded"] == pytest.approx(
        per_text["bert_unpadded"] / per_text["power_bert_unpadded"]
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
        medians["bert_padded"] / medians["power_bert_padded"]
    )
    assert time["speedup"]["unpadded_over_unpadded"] == pytest.approx(
        medians["bert_unpadded"] / medians["power_bert_unpadded"]
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
    padded, unpadded = (seconds[f"power_bert_{way}"]["median"] for way in ("padded", "unpadded"))
    ways = ("length buckets", "padding to N")[:: 1 if unpadded < padded else -1]
    gain = max(padded, unpadded) / min(padded, unpadded)
    buckets = f"and {ways[0]}, {gain:.2f} times as fast as {ways[1]} (in tensorflow float32)."
    printed = " ".join(finished_run.printed.split())
    for sentence in (fastest, buckets):
        assert sentence in " ".join(written.split()) and sentence in printed


def test_the_report_can_be_read(finished_run):
    report, text = finished_run.json("report.json"), (finished_run.path / "report.md").read_text()
    assert f"| BERT, fine-tuned | {100 * report['score']['bert']:.2f} |" in text
    assert f"| PoWER-BERT, re-trained | {100 * report['score']['power_bert']:.2f} |" in text
    assert f"| drop | {report['score']['drop_points']:.2f} points |" in text
    assert f"(absolute, lambda 0.02): `{report['retention']}`" in text
    kept = report["word_vectors"]["padded"]["power_bert"]
    assert f"Word-vectors kept over all encoders: {kept} of\n24 with padding" in text
    flops, seconds = report["operations"]["per_text"], report["time"]["seconds"]
    bases = ("bert_padded", "bert_unpadded")
    for way, label in zip(WAYS, LABELS, strict=True):
        cells = [f"{flops[way] / 1e9:.3f}"]
        cells += [f"{flops[base] / flops[way]:.2f}x" for base in bases]
        cells.append(f"{1000 * seconds[way]['median'] / 32:.2f}")
        cells += [f"{seconds[base]['median'] / seconds[way]['median']:.2f}x" for base in bases]
        assert f"\n| {' | '.join([label, *cells])} |\n" in text


def test_one_summary_ends_the_run(finished_run):
    report = finished_run.json("report.json")
    *_, summary = finished_run.printed.split("\n\ntrain, accuracy on 32 dev examples: ")
    assert summary.startswith(f"{100 * report['score']['bert']:.1f} BERT, ")
    assert f"retention (absolute): {report['retention']}" in summary
    assert summary.endswith(f"Report: {finished_run.path / 'report.md'}\n")
    assert finished_run.printed.count("retention (absolute)") == 1
    for title in ("[1/3 fine-tune]", "[2/3 search]", "[3/3 re-train with"):
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
    assert "[2/3 search]" not in pairs_run.printed
    assert pairs_run.json("retention.json") == {"lengths": [9, 4], "reference_length": 16}
    report = pairs_run.json("report.json")
    assert report["retention"] == "9,4 of 16" and report["basis"] == "relative"
    assert report["strength"] is None
    assert report["seconds_training"].keys() == {"fine-tune", "re-train"}
    assert report["metric"] == "f1"
    text = (pairs_run.path / "report.md").read_text()
    assert "Retention configuration (relative, given): `9,4 of 16`" in text
    model = RunFolder.open(pairs_run.path).finished_step().load_model()
    assert str(model.reduction.retention) == "9,4 of 16"


# Without training


def fit(materials, **changes):
    return Fit(materials.checkpoint, materials.folder / "none", train=materials.train, **changes)


def test_a_tenth_is_held_out_without_dev(materials):
    task, train, dev = fit(materials).load_data()
    assert (len(train), len(dev)) == (87, 9)
    assert task.name == "train" and task.labels == toy.LABELS
    whole = toy.examples(96, seed=1)
    assert sorted([*train.texts, *dev.texts]) == sorted(whole.texts)
    again = fit(materials).load_data()[2]
    other = fit(materials, seed=1).load_data()[2]
    assert again.fingerprint() == dev.fingerprint() != other.fingerprint()


@pytest.mark.parametrize(
    ("words", "positions", "length", "line"),
    [
        (40, 512, 64, "N = 64: at most 1 % of the texts of long.tsv have more than 42 word-pieces"),
        (95, 512, 128, "N = 128: .* more than 97 .*the nearest of 64, 128, 256 and 512"),
        (900, 512, 512, "N = 512: .* more than 902 "),
        (900, 300, 300, "N = 300: .*no more positions; 512 would be the nearest"),
    ],
)
def test_n_is_proposed_and_said(tmp_path, capsys, words, positions, length, line):
    checkpoint = write_checkpoint(tmp_path / "checkpoint", max_position_embeddings=positions)
    write_weights(checkpoint, toy.config(max_sequence_length=positions))
    texts = ["film " * words] * 2 + ["film"] * 150
    path = write_tsv(tmp_path / "long.tsv", Examples(texts, None, [0, 1] * 76, toy.LABELS))
    proposing = Fit(checkpoint, tmp_path / "none", train=path)
    assert proposing.load_data()[0].sequence_length == length
    printed = capsys.readouterr().out
    assert re.search(line, printed) and printed.count("\n") == 1
    # It does not change with what is held out or left out, or with what is asked otherwise.
    other = dataclasses.replace(proposing, seed=7, train_examples=3, dev=path)
    assert other.load_data()[0].sequence_length == length
    assert capsys.readouterr().out == printed
    given = dataclasses.replace(proposing, sequence_length=20)
    assert given.load_data()[0].sequence_length == 20
    assert capsys.readouterr().out == ""


def test_a_run_keeps_the_n_that_was_proposed(finished_run, tmp_path):
    settings = finished_run.json("settings.json")
    settings["command"]["sequence_length"] = None
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    assert fit_of(RunFolder.open(tmp_path)).sequence_length == 12


def test_a_run_of_another_version(finished_run, tmp_path):
    settings = finished_run.json("settings.json")
    settings["command"]["unheard_of"] = False
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    assert fit_of(RunFolder.open(tmp_path)) == fit_of(RunFolder.open(finished_run.path))
    settings["command"]["unheard_of"] = 3
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match="another version .* unheard_of=3"):
        fit_of(RunFolder.open(tmp_path))


def test_runs_from_before_multiple_choice_go_on(finished_run):
    """What tasks have since then is part of a run's identity only where it is in use."""
    assert set(finished_run.json("settings.json")["identity"]["task"]) == {
        *("name", "metric", "labels", "sequence_length", "batch_size", "learning_rate"),
        *("retention_learning_rate", "strength", "epochs", "features", "tfds_name", "tfds_dev"),
        *("tsv_folder", "tsv_columns", "tsv_dev"),
    }


def test_labels_can_be_given_in_their_order(materials):
    _, train, _ = fit(materials, labels=["positive", "negative"]).load_data()
    assert train.label_names == ("positive", "negative")
    by_text = dict(zip(train.texts, train.labels, strict=True))
    assert all(("good" in text) == (label == 0) for text, label in by_text.items())


def test_regression_reads_numbers(materials, tmp_path):
    examples = toy.examples(20, regression=True)
    path = write_tsv(tmp_path / "scores.tsv", examples)
    task, train, dev = Fit(
        materials.checkpoint, tmp_path / "none", train=path, dev=path, regression=True
    ).load_data()
    assert task.is_regression and task.metric == "spearman"
    assert isinstance(train, Examples) and train.fingerprint() == dev.fingerprint()
    np.testing.assert_array_equal(dev.labels, examples.labels)


@pytest.mark.parametrize(
    ("said", "cased", "lowercase"),
    [
        (None, False, True),
        (None, True, False),
        (False, False, False),
        (True, False, True),
        (True, True, False),
    ],
)
def test_the_checkpoint_says_whether_it_is_cased(materials, said, cased, lowercase):
    checkpoint = open_checkpoint(materials.checkpoint)
    checkpoint = dataclasses.replace(checkpoint, lowercase=said)
    tokenizer = tokenizer_for(Fit("none", materials.folder, cased=cased), checkpoint)
    assert tokenizer.lowercase == lowercase


def test_arguments_are_a_frozen_dataclass(materials):
    assert dataclasses.is_dataclass(Fit)
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit(materials).seed = 1
