"""What a report says of a run whose every figure is known, and how it is written down."""

import dataclasses

import numpy as np
import pytest
from training import toy

from power_bert_tf.commands.report import build_report
from power_bert_tf.commands.report import markdown
from power_bert_tf.commands.report import summary
from power_bert_tf.modeling import Extraction
from power_bert_tf.modeling import RetentionConfiguration
from power_bert_tf.training.run_folder import RunFolder
from power_bert_tf.training.steps import StepResult

# Without training


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run in which PoWER-BERT lost an eighth."""
    task = {"name": "toy", "metric": "accuracy", "strength": 0.1, "sequence_length": toy.LENGTH}
    run = RunFolder.begin(
        tmp_path_factory.mktemp("run"),
        {"task": task, "basis": "absolute", "retention": None, "lowercase": True},
        {"examples": {"train": 64, "dev": 32}, "versions": {}},
        toy.preprocessor().tokenizer,
    )
    bert = toy.classifier(seed=3)
    power = bert.with_reduction(Extraction("3,2"))
    run.write_retention(RetentionConfiguration.parse("3,2"))
    for name, model, score in (("fine-tune", bert, 0.75), ("re-train", power, 0.625)):
        run.step(name).finish(StepResult(model, [], 1, score), 2.0)
    return run


def answers(run, step, texts):
    model = run.step(step).load_model()
    return np.asarray(model(run.preprocessor()(texts))).argmax(axis=1)


def test_the_drop_is_what_bert_has_more(run):
    report = build_report(run, toy.examples(8, seed=2), timed=False)
    assert report["score"] == {"bert": 0.75, "power_bert": 0.625, "drop_points": 12.5}
    assert "beside" not in report


def test_further_dev_sets_are_measured_by_both_models(run):
    """One on which BERT is always right, and one on which PoWER-BERT is."""
    examples = toy.examples(16, seed=9)
    told = {step: answers(run, step, examples.texts) for step in ("fine-tune", "re-train")}
    beside = {
        step: dataclasses.replace(examples, labels=labels.astype("int32"))
        for step, labels in told.items()
    }
    report = build_report(run, toy.examples(8, seed=2), timed=False, beside=beside)
    alike = np.mean(told["fine-tune"] == told["re-train"])
    assert 0 < alike < 1
    for step, bert, power in (("fine-tune", 1.0, alike), ("re-train", alike, 1.0)):
        assert report["beside"][step] == {
            "examples": 16,
            "score": {"bert": bert, "power_bert": power, "drop_points": 100 * (bert - power)},
        }


# By hand

REPORT = {
    "task": "toy",
    "metric": "f1",
    "basis": "relative",
    "strength": 0.25,
    "examples": {"train": 64, "dev": 32},
    "sequence_length": 12,
    "mean_length": 6.04,
    "score": {"bert": 0.9, "power_bert": 0.87625, "drop_points": 2.375},
    "beside": {
        "other": {
            "examples": 16,
            "score": {"bert": 0.5, "power_bert": 0.625, "drop_points": -12.5},
        }
    },
    "retention": "5,2 of 12",
    "word_vectors": {
        "padded": {"bert": 24, "power_bert": 7},
        "unpadded": {"bert": 12.08, "power_bert": 3.5},
    },
    "operations": {
        "per_text": {
            "bert_padded": 8e9,
            "bert_unpadded": 4e9,
            "power_bert_padded": 2e9,
            "power_bert_unpadded": 0.5e9,
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
            "power_bert_padded": {"median": 0.4},
            "power_bert_unpadded": {"median": 0.1},
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


def test_the_tables_have_their_figures_in_their_columns():
    text = markdown(REPORT)
    header = (
        "| | GFLOP a text | vs padded BERT | vs unpadded BERT "
        "| ms a text | vs padded BERT | vs unpadded BERT |"
    )
    assert f"{header}\n|---|---|---|---|---|---|---|\n" in text
    written = [line for line in text.splitlines() if line.startswith(tuple(f"| {n}" for n in ROWS))]
    assert written == [f"| {' | '.join([name, *cells])} |" for name, cells in ROWS.items()]
    lines = summary(REPORT).splitlines()
    printed = [line for line in lines if line.startswith(tuple(ROWS))]
    for line, (name, cells) in zip(printed, ROWS.items(), strict=True):
        assert line.startswith(name) and line.removeprefix(name).split() == cells
    assert [line.split() for line in lines if "padded" in line and "a text" in line] == [
        "a text padded unpadded a text padded unpadded".split()
    ]


def test_the_scores_are_in_their_places():
    text = markdown(REPORT)
    assert (
        "| | f1 on 32 dev examples |\n|---|---|\n| BERT, fine-tuned | 90.00 |\n"
        "| PoWER-BERT, re-trained | 87.62 |\n| drop | 2.38 points |\n"
    ) in text
    assert (
        "On the 16 dev examples of other, which nothing was chosen by: 50.00 BERT, 62.50 "
        "PoWER-BERT, drop -12.50 points.\n"
    ) in text
    first, second, retention = summary(REPORT).splitlines()[:3]
    assert first == "toy, f1 on 32 dev examples: 90.0 BERT, 87.6 PoWER-BERT, drop 2.4 points"
    assert second == "other, f1 on 16 dev examples: 50.0 BERT, 62.5 PoWER-BERT, drop -12.5 points"
    assert retention == "retention (relative): 5,2 of 12"


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
    seconds = {**time["seconds"], "power_bert_unpadded": {"median": unpadded}}
    report = {**REPORT, "time": {**time, "seconds": seconds}}
    expected = (
        "Fastest here: tensorflow bfloat16 (ms a text, in one batch of middle length: "
        "tensorflow bfloat16 1.25, tensorflow float32 XLA 2.50); "
        f"and {said} (in tensorflow float32)."
    )
    for text in (markdown(report), summary(report)):
        assert expected in " ".join(text.split())
