"""What a report says of a run whose every figure is known, and how it is written down."""

import dataclasses

import numpy as np
import pytest
from training import toy

from power_bert_tf.data import user_task
from power_bert_tf.methods.power_bert.options import PowerBertOptions
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.runs.report import build_report
from power_bert_tf.runs.report_text import markdown
from power_bert_tf.runs.report_text import summary
from power_bert_tf.training.training_data import TrainingResult

# Without training


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run in which PoWER-BERT lost an eighth."""
    return begin(tmp_path_factory.mktemp("run"))


def begin(path, further=None):
    task = user_task("toy", toy.examples(2), toy.LENGTH)
    identity = {
        "method": "power-bert",
        "task": dataclasses.asdict(task),
        "options": dataclasses.asdict(PowerBertOptions(strength=0.1)),
        "lowercase": True,
    }
    settings = {
        "identity": identity,
        "steps": ["fine-tune", "re-train"],
        "further": list(further or {}),
        "examples": {"train": 64, "dev": 32},
        "versions": {},
    }
    dev, tokenizer = toy.examples(8, seed=2), toy.preprocessor().tokenizer
    run = RunFolder.begin(path, settings, tokenizer, dev, further)
    bert = toy.classifier(seed=3)
    power = bert.with_reduction(Extraction("3,2"))
    for name, model, score in (("fine-tune", bert, 0.75), ("re-train", power, 0.625)):
        run.step(name).finish(TrainingResult(model, [], 1, score), 2.0)
    return run


def answers(run, step, texts):
    model = run.step(step).load_model()
    return np.asarray(model(run.preprocessor()(texts))).argmax(axis=1)


def test_the_drop_is_what_bert_has_more(run):
    report = build_report(run, timed=False)
    assert report["score"] == {"bert": 0.75, "reduced": 0.625, "drop_points": 12.5}
    assert "further" not in report
    assert report["configuration"] == {"variant": "absolute", "strength": 0.1, "text": "3,2"}


def test_further_dev_sets_are_measured_by_both_models(run, tmp_path):
    """One on which BERT is always right, and one on which PoWER-BERT is."""
    examples = toy.examples(16, seed=9)
    told = {step: answers(run, step, examples.texts) for step in ("fine-tune", "re-train")}
    further = {
        step: dataclasses.replace(examples, labels=labels.astype("int32"))
        for step, labels in told.items()
    }
    report = build_report(begin(tmp_path / "run", further), timed=False)
    alike = np.mean(told["fine-tune"] == told["re-train"])
    assert 0 < alike < 1
    for step, bert, power in (("fine-tune", 1.0, alike), ("re-train", alike, 1.0)):
        assert report["further"][step] == {
            "examples": 16,
            "score": {"bert": bert, "reduced": power, "drop_points": 100 * (bert - power)},
        }


# By hand

REPORT = {
    "task": "toy",
    "metric": "f1",
    "method": "power-bert",
    "title": "PoWER-BERT",
    "configuration": {"variant": "relative", "strength": 0.25, "text": "5,2 of 12"},
    "examples": {"train": 64, "dev": 32},
    "sequence_length": 12,
    "mean_length": 6.04,
    "score": {"bert": 0.9, "reduced": 0.87625, "drop_points": 2.375},
    "further": {
        "other": {
            "examples": 16,
            "score": {"bert": 0.5, "reduced": 0.625, "drop_points": -12.5},
        }
    },
    "word_vectors": {
        "padded": {"bert": 24, "reduced": 7},
        "unpadded": {"bert": 12.08, "reduced": 3.5},
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
    first, _, *scores = table_rows(text)[:5]
    assert first == ["", "f1 on 32 dev examples"]
    assert scores == [
        ["BERT, fine-tuned", "90.00"],
        ["PoWER-BERT", "87.62"],
        ["drop", "2.38 points"],
    ]
    assert (
        "On the 16 dev examples of other, by which nothing was chosen: 50.00 BERT, 62.50 "
        "PoWER-BERT, drop -12.50 points.\n"
    ) in text
    first, second, retention = summary(REPORT).splitlines()[:3]
    assert first == "toy, f1 on 32 dev examples: 90.0 BERT, 87.6 PoWER-BERT, drop 2.4 points"
    assert second == "other, f1 on 16 dev examples: 50.0 BERT, 62.5 PoWER-BERT, drop -12.5 points"
    assert retention == "Retention configuration (relative, lambda 0.25): 5,2 of 12"


def test_the_word_vectors_are_in_their_places():
    text = " ".join(markdown(REPORT).split())
    assert "Trained on 64 examples. Inputs are padded or cut to N = 12 word-pieces" in text
    assert "the mean length of the dev examples is 6.0." in text
    assert "(relative, lambda 0.25): `5,2 of 12`" in text
    assert "7 of 24 with padding; 3.5 of 12.1 on average without." in text
    assert "median of 5 interleaved rounds over 40 dev texts in batches of 16" in text


@pytest.mark.parametrize(
    ("unpadded", "said"),
    [
        (0.1, "length buckets, 4.00 times as fast as padding to N"),
        (0.5, "padding to N, 1.25 times as fast as length buckets"),
    ],
)
def test_the_fastest_way_is_named(unpadded, said):
    time = REPORT["time"]
    seconds = {**time["seconds"], "reduced_unpadded": {"median": unpadded}}
    report = {**REPORT, "time": {**time, "seconds": seconds}}
    expected = (
        "Fastest here: tensorflow bfloat16 (ms a text, in one batch of middle length: "
        "tensorflow bfloat16 1.25, tensorflow float32 XLA 2.50); "
        f"and {said} (in tensorflow float32)."
    )
    for text in (markdown(report), summary(report)):
        assert expected in " ".join(text.split())
