"""What a report says of a run whose every figure is known, and how it is written down."""

import dataclasses

import numpy as np
import pytest
from training import toy

from power_bert_tf.data import user_task
from power_bert_tf.methods.power_bert.options import PowerBertOptions
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.runs import scores
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.report import build_report
from power_bert_tf.runs.report import middle_rows
from power_bert_tf.runs.report import timed_rows
from power_bert_tf.runs.report_text import markdown
from power_bert_tf.runs.report_text import summary
from power_bert_tf.runs.report_text import without_texts
from power_bert_tf.training.training_data import TrainingResult

# Without training

DEV, TEST = toy.examples(8, seed=2), toy.examples(40, seed=5)


def begin(path, sets=None, dev_scores=(0.75, 0.75, 0.625)):
    """A finished run with three models that answer differently."""
    task = user_task("toy", toy.examples(2), toy.LENGTH)
    identity = {
        "method": "power-bert",
        "task": dataclasses.asdict(task),
        "options": dataclasses.asdict(PowerBertOptions(strength=0.1)),
        "lowercase": True,
    }
    sets = {"dev": DEV, **(sets or {})}
    settings = {
        "identity": identity,
        "steps": ["fine-tune", "control", "re-train"],
        "held_out": False,
        "examples": {"train": 64, **{name: len(each) for name, each in sets.items()}},
        "versions": {},
    }
    run = RunFolder.begin(path, settings, toy.preprocessor().tokenizer, sets, DEV)
    power = toy.classifier(seed=3).with_reduction(Extraction("3,2"))
    models = (toy.classifier(seed=3), toy.classifier(seed=4), power)
    for name, model, score in zip(run.steps, models, dev_scores, strict=True):
        run.step(name).finish(TrainingResult(model, [{}, {}, {}], 2, score), 2.0)
    return run


def answers(run, step, texts):
    model = run.step(step).load_model()
    return np.asarray(model(run.preprocessor()(texts))).argmax(axis=1)


def labelled_by(run, step, examples):
    """The same texts, on which the model of a step is always right."""
    labels = answers(run, step, examples.texts).astype("int32")
    return dataclasses.replace(examples, labels=labels)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return begin(tmp_path_factory.mktemp("run") / "first")


def alike(run, one, other, examples=TEST):
    share = np.mean(answers(run, one, examples.texts) == answers(run, other, examples.texts))
    assert 0 < share < 1
    return share


@pytest.mark.parametrize(
    ("texts", "length", "count"),
    [(872, 64, 512), (277, 256, 256), (1000, 512, 128), (500, 128, 384), (100, 64, 100)],
)
def test_long_texts_are_timed_on_fewer(texts, length, count):
    rows = timed_rows(texts, length)
    assert len(set(rows)) == count and (rows[0], rows[-1]) == (0, texts - 1)


@pytest.mark.parametrize(
    ("dev_scores", "bert"),
    [
        ((0.75, 0.875, 0.5), "control"),
        ((0.875, 0.75, 0.5), "fine-tune"),
        # Of equals the one that took less.
        ((0.75, 0.75, 0.5), "fine-tune"),
    ],
)
def test_the_drop_is_from_the_bert_that_is_better_on_dev(first, tmp_path, dev_scores, bert):
    """On test examples on which it is always right, whatever its dev score was."""
    test = labelled_by(first, bert, TEST)
    report = build_report(begin(tmp_path / "run", {"test": test}, dev_scores), timed=False)
    reduced = alike(first, bert, "re-train")
    assert report["bert"] == bert and report["measured_by"] == "test"
    assert (report["score"]["bert"], report["score"]["reduced"]) == (1.0, reduced)
    drop = 100 * (1 - reduced)
    assert report["score"]["drop_points"] == pytest.approx(drop)
    low, high = report["score"]["interval"]
    assert 0 < low < drop < high
    assert report["score"]["only_bert_right"] == round(40 * (1 - reduced))
    assert report["score"]["only_reduced_right"] == 0
    assert [each["dev"] for each in report["models"].values()] == list(dev_scores)
    assert {(each["epochs"], each["best_epoch"]) for each in report["models"].values()} == {(3, 2)}
    other = {"control": "fine-tune", "fine-tune": "control"}[bert]
    assert report["models"][other]["score"] == pytest.approx(alike(first, bert, other))


@pytest.mark.slow
def test_without_a_test_set_figures_are_of_dev(first):
    report = build_report(first, timed=False)
    assert report["measured_by"] == "dev"
    right = answers(first, "fine-tune", DEV.texts) == DEV.labels
    assert report["score"]["bert"] == report["models"]["fine-tune"]["score"] == right.mean()
    assert "further" not in report
    assert report["configuration"] == {
        "variant": "absolute",
        "search": None,
        "strength": 0.1,
        "text": "3,2",
    }


@pytest.mark.slow
def test_further_dev_sets_are_measured_by_both_models(first, tmp_path):
    """One on which BERT is always right, and one on which PoWER-BERT is."""
    steps = ("fine-tune", "re-train")
    further = {step: labelled_by(first, step, TEST) for step in steps}
    report = build_report(begin(tmp_path / "run", further), timed=False)
    share = alike(first, *steps)
    for step, bert, power in (("fine-tune", 1.0, share), ("re-train", share, 1.0)):
        score = report["further"][step]["score"]
        assert report["further"][step]["examples"] == 40
        assert (score["bert"], score["reduced"]) == (bert, power)
        assert score["drop_points"] == pytest.approx(100 * (bert - power))


def test_answers_are_kept_and_go_along_with_a_step(first, tmp_path):
    kept = scores.outputs(first, "control", "dev")
    path = first.step("control").path / "answers-dev.npy"
    assert path.exists() and kept.shape == (8, 2)
    other = begin(tmp_path / "other")
    other.step("another").adopt(first.step("control"))
    assert (other.path / "another" / "answers-dev.npy").exists()


# By hand

REPORT = {
    "task": "toy",
    "metric": "f1",
    "method": "power-bert",
    "title": "PoWER-BERT",
    "configuration": {"variant": "relative", "strength": 0.25, "text": "5,2 of 12"},
    "examples": {"train": 6400, "dev": 32, "test": 8000},
    "measured_by": "test",
    "held_out": True,
    "bert": "control",
    "models": {
        "fine-tune": {
            **{"dev": 0.81, "epochs": 4, "best_epoch": 2},
            **{"score": 0.88, "standard_error": 0.0036},
        },
        "control": {
            **{"dev": 0.82, "epochs": 6, "best_epoch": 5},
            **{"score": 0.9, "standard_error": 0.0034},
        },
        "re-train": {
            **{"dev": 0.80, "epochs": 3, "best_epoch": 3},
            **{"score": 0.87625, "standard_error": 0.0037},
        },
    },
    "sequence_length": 12,
    "mean_length": 6.04,
    "score": {
        **{"bert": 0.9, "reduced": 0.87625, "drop_points": 2.375},
        **{"interval": [1.875, 3.25], "standard_error": 0.4},
        **{"only_bert_right": 300, "only_reduced_right": 110, "p_value": 2.4e-21},
    },
    "further": {
        "other": {
            "examples": 1600,
            "score": {
                **{"bert": 0.5, "reduced": 0.625, "drop_points": -12.5},
                **{"interval": [-14.0, -11.25], "standard_error": 0.7},
            },
        }
    },
    "word_vectors": {
        "padded": {"bert": 24, "reduced": 7},
        "unpadded": {"bert": 12.08, "reduced": 3.5},
        "percentiles": {"5": [3.0, 2.0, 1.0], "50": [6.0, 3.4, 1.0], "95": [11.0, 5.0, 2.0]},
    },
    "operations": {
        "per_text": {
            "bert_padded": 8e9,
            "bert_unpadded": 4e9,
            "reduced_padded": 2e9,
            "reduced_unpadded": 0.5e9,
        }
    },
    "device": "2 cores",
    "time": {
        "runtime": "tensorflow",
        "dtype": "float32",
        "batch_size": 16,
        "packed": False,
        "texts": 40,
        "rounds": 5,
        "seconds": {
            "bert_padded": {"median": 1.0},
            "bert_unpadded": {"median": 0.8},
            "reduced_padded": {"median": 0.4},
            "reduced_unpadded": {"median": 0.1},
        },
    },
    "modes": [
        {"runtime": "tensorflow", "dtype": "bfloat16", "jit_compile": False, "ms_a_text": 1.25},
        {"runtime": "tensorflow", "dtype": "float32", "jit_compile": True, "ms_a_text": 2.5},
    ],
}
# Operations, and how many times fewer than padded and unpadded BERT; milliseconds, and how many
# times faster.
ROWS = {
    "BERT, padded to N": ["8.000", "1.00x", "0.50x", "25.00", "1.00x", "0.80x"],
    "BERT, without padding": ["4.000", "2.00x", "1.00x", "20.00", "1.25x", "1.00x"],
    "PoWER-BERT, padded to N": ["2.000", "4.00x", "2.00x", "10.00", "2.50x", "2.00x"],
    "PoWER-BERT, without padding": ["0.500", "16.00x", "8.00x", "2.50", "10.00x", "8.00x"],
}


def table_rows(text):
    """The rows of all tables in Markdown, as cells."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_tables_have_their_figures_in_their_columns():
    written = table_rows(markdown(REPORT))
    each = ["vs padded BERT", "vs unpadded BERT"]
    begin = written.index(["", "GFLOP a text", *each, "ms a text", *each])
    assert written[begin + 2 : begin + 6] == [[name, *cells] for name, cells in ROWS.items()]
    lines = summary(REPORT).splitlines()
    printed = [line for line in lines if line.startswith(tuple(ROWS))]
    for line, (name, cells) in zip(printed, ROWS.items(), strict=True):
        assert line.startswith(name) and line.removeprefix(name).split() == cells
    above, below = (line.split() for line in lines if line.startswith("  "))
    assert " ".join(above) == "GFLOP speedup over over ms speedup over over"
    assert " ".join(below) == "a text padded BERT unpadded a text padded BERT unpadded"


def test_the_scores_are_in_their_places():
    text = markdown(REPORT)
    header, _, *rows = table_rows(text)[:5]
    assert header == [
        "",
        "f1 on 32 dev examples",
        "on 8,000 held-out examples",
        "standard error",
        "best epoch",
    ]
    assert rows == [
        ["BERT, fine-tuned", "81.00", "88.00", "0.36", "2 of 4"],
        ["BERT, control", "82.00", "90.00", "0.34", "5 of 6"],
        ["PoWER-BERT", "80.00", "87.62", "0.37", "3 of 3"],
    ]
    text = " ".join(text.split())
    assert (
        "Drop: 2.38 points; with a confidence of 95 % between 1.88 and 3.25, by a paired bootstrap "
        "of the examples; another seed of training moves it too. BERT alone is right on 300, the "
        "faster model alone on 110 (McNemar's exact test: p = 2.4e-21). The drop is "
        "against the better BERT by dev: the control, trained on for 6 epochs (82.0 against "
        "81.0). On the 1,600 dev examples of other, by which "
        "nothing was chosen: 50.00 BERT, 62.50 PoWER-BERT. Drop: -12.50 points; with a confidence "
        "of 95 % between -14.00 and -11.25"
    ) in text
    first, second, *others = summary(REPORT).splitlines()
    assert first == (
        "toy, f1 on 8,000 held-out examples: 90.0 BERT, 87.6 PoWER-BERT, drop 2.4 points "
        "(1.9 to 3.2)"
    )
    assert second == (
        "other, f1 on 1,600 dev examples: 50.0 BERT, 62.5 PoWER-BERT, drop -12.5 points "
        "(-14.0 to -11.2)"
    )
    assert "Retention configuration (relative, lambda 0.25): 5,2 of 12" in others


def test_what_a_report_is_measured_by_is_said():
    def said(**changes):
        report = {**REPORT, **changes}
        return " ".join(f"{markdown(report)} {summary(report)}".split())

    assert said(held_out=False).count("on 8,000 test examples") == 2
    assert "Choices were made" not in said()
    by_dev = said(measured_by="dev")
    assert by_dev.count("Choices were made on these dev examples too") == 2
    assert "held-out" not in by_dev
    assert table_rows(markdown({**REPORT, "measured_by": "dev"}))[2] == [
        "BERT, fine-tuned",
        "88.00",
        "0.36",
        "2 of 4",
    ]


def test_a_control_that_is_missing_is_said():
    models = {step: REPORT["models"][step] for step in ("fine-tune", "re-train")}
    report = {**REPORT, "models": models, "bert": "fine-tune"}
    for text in (markdown(report), summary(report)):
        said = " ".join(text.split())
        assert "No control was trained: a BERT that is given as many further epochs may" in said
        assert "better BERT" not in said
    assert "No control" not in markdown(REPORT)
    fine_tuned = {**REPORT, "bert": "fine-tune"}
    assert "by dev: the fine-tuned one (81.0 against 82.0)" in " ".join(summary(fine_tuned).split())


def test_modes_are_compared_in_a_batch_of_middle_length():
    sizes = np.arange(1, 301) % 100 + 1
    rows = middle_rows(sizes)
    assert len(rows) == 128 and abs(sizes[rows] - 50).max() < 25
    # Of long texts fewer, and of very few all.
    assert len(middle_rows(np.full(300, 512))) == 32
    assert len(middle_rows(np.array([7, 20_000, 8]))) == 1


CLASSES = {
    "labels": ["negative", "positive"],
    "classes": {
        step: {
            **{"precision": [0.5, share], "recall": [0.25, 1.0], "f1": [0.333, 0.9]},
            **{"examples": [3000, 5000], "confusion": [[750, 2250], [0, 5000]]},
            "calibration_error": 0.0625,
        }
        for step, share in (("control", 0.75), ("re-train", 0.625))
    },
    "changed": [
        {
            **{"text": "so | good\n" + "x" * 200, "label": "positive"},
            **{"bert": ["positive", 0.91], "reduced": ["negative", 0.7]},
        }
    ],
}


def test_the_figures_by_class_are_in_their_places():
    text = markdown({**REPORT, **CLASSES})
    assert "## By class, on 8,000 held-out examples" in text
    rows = table_rows(text)
    measures = ["precision", "recall", "F1"]
    header = [f"{name}: {each}" for name in ("BERT, control", "PoWER-BERT") for each in measures]
    begin = rows.index(["class", "examples", *header])
    assert rows[begin + 2] == ["negative", "3,000", *["50.0", "25.0", "33.3"] * 2]
    assert rows[begin + 3] == [
        *("positive", "5,000", "75.0", "100.0", "90.0", "62.5", "100.0", "90.0")
    ]
    assert ["negative", "750", "2,250"] in rows and ["positive", "0", "5,000"] in rows
    assert "error: 6.2 points (BERT, control), 6.2 points (PoWER-BERT)." in text
    assert "| positive, 91 % | negative, 70 %" in text and "| so \\| good xxx" in text
    assert "By class" not in markdown(REPORT)


def test_a_report_may_go_without_texts():
    text = markdown(without_texts({**REPORT, **CLASSES}))
    assert "By class" in text and "xxx" not in text


def test_many_classes_are_in_the_json_alone():
    many = {
        **{name: [0.5] * 30 for name in ("precision", "recall", "f1")},
        **{"examples": [4] * 30, "confusion": np.eye(30).tolist(), "calibration_error": 0.0},
    }
    given = {"labels": list(map(str, range(30))), "classes": {"re-train": many}, "changed": []}
    text = markdown({**REPORT, **given})
    assert "and 10 classes more, in report.json." in text
    assert "takes for what" not in text and "change most" not in text


def test_numbers_have_an_error():
    numbers = {step: {"rmse": 0.51234, "pearson": 0.875} for step in ("control", "re-train")}
    assert (
        "Root mean square error, and Pearson's correlation: BERT, control 0.5123, 87.5; "
        "PoWER-BERT 0.5123, 87.5."
    ) in markdown({**REPORT, "numbers": numbers})


def test_a_model_that_drops_nothing_says_what_would():
    words = {**REPORT["word_vectors"], "unpadded": {"bert": 12.08, "reduced": 12.08}}
    report = {**REPORT, "word_vectors": words}
    for text in (markdown(report), summary(report)):
        assert (
            "Nothing is dropped: no text loses a word-vector. More of --strength (here 0.25) drops "
            "more, and --max-drop finds how much a task allows."
        ) in " ".join(text.split())
    given = {**report, "configuration": {**REPORT["configuration"], "strength": None}}
    assert "no text loses a word-vector. The drop" in " ".join(markdown(given).split())
    assert "Nothing is dropped" not in markdown(REPORT)


def test_the_word_vectors_are_in_their_places():
    text = " ".join(markdown(REPORT).split())
    assert "Trained on 6,400 examples. Inputs are padded or cut to N = 12 word-pieces" in text
    assert "the mean length of the dev examples is 6.0." in text
    assert "(relative, lambda 0.25): `5,2 of 12`" in text
    assert "7 of 24 with padding; 3.5 of 12.1 on average without." in text
    assert "| 50 % | 6 | 3 | 1 |" in text
    assert "median of 5 interleaved rounds over 40 dev texts in batches of 16" in text


@pytest.mark.parametrize(
    ("unpadded", "packed", "said"),
    [
        (0.1, False, "length buckets, 4.00 times as fast as padding to N"),
        (0.5, False, "padding to N, 1.25 times as fast as length buckets"),
        (0.1, True, "packed rows, 4.00 times as fast as padding to N"),
    ],
)
def test_the_fastest_way_is_named(unpadded, packed, said):
    time = REPORT["time"]
    seconds = {**time["seconds"], "reduced_unpadded": {"median": unpadded}}
    report = {**REPORT, "time": {**time, "packed": packed, "seconds": seconds}}
    expected = (
        "Fastest here: tensorflow bfloat16 (ms a text, in one batch of middle length: "
        "tensorflow bfloat16 1.25, tensorflow float32 XLA 2.50); "
        f"and {said} (in tensorflow float32)."
    )
    for text in (markdown(report), summary(report)):
        assert expected in " ".join(text.split())
