"""BERT and PoWER-BERT side by side, with a clock that the work itself moves."""

import pytest
from training import toy

from power_bert_tf.deploy.runtimes import load_runtime
from power_bert_tf.measure import timing
from power_bert_tf.measure.comparison import mode_times
from power_bert_tf.measure.comparison import speedups
from power_bert_tf.measure.comparison import times
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.modeling import BertClassifier

LENGTH = 16
# Seconds a word-vector, of each graph in each dtype.
SECONDS = {
    ("lean", "NoReduction"): 3.0,
    ("lean", "Extraction"): 1.0,
    ("textbook", "NoReduction"): 7.0,
}
SLOWER = {"float32": 2.0, "bfloat16": 1.0}


@pytest.fixture
def clock(monkeypatch):
    """Every graph takes the time that `SECONDS` says, and nothing else takes any."""

    class Clock:
        now = 0.0

    def compile_graph(graph, dtype, *rest):
        kind, model = graph if isinstance(graph, tuple) else ("textbook", graph)
        seconds = SECONDS[kind, type(model.reduction).__name__] * SLOWER[dtype]

        def run(inputs):
            Clock.now += seconds * inputs["token_ids"].size
            return inputs["token_ids"][:, :2].astype("float32")

        return run

    monkeypatch.setattr(timing.time, "perf_counter", lambda: Clock.now)
    monkeypatch.setattr(
        BertClassifier, "for_inference", lambda model, length=None, packed=False: ("lean", model)
    )
    monkeypatch.setattr(load_runtime("tensorflow", "float32"), "compile_graph", compile_graph)
    return Clock


def models():
    bert = toy.classifier(LENGTH)
    return bert, bert.with_reduction(Extraction("9,4"))


# Packed rows: four texts as long as the one of 8, two as the one of 16.
TEXTS = [[2] * size for size in (3, 12, 3, 8, 16, 4)]
PADDED, UNPADDED = 6 * 16, 4 * 8 + 2 * 16


def test_both_are_timed_at_their_best_padded_and_not(clock):
    measured = times(
        *models(),
        TEXTS,
        [[0] * len(text) for text in TEXTS],
        textbook=True,
        rounds={"least_runs": 2, "most_runs": 2},
        batch_size=4,
        batch_overhead=0,
    )
    medians = {way: each["median"] for way, each in measured["seconds"].items()}
    # In float32. BERT too leaves out outputs that are not used: the textbook's time is no baseline.
    assert medians == {
        "bert_textbook_padded": 2 * 7 * PADDED,
        "bert_padded": 2 * 3 * PADDED,
        "bert_unpadded": 2 * 3 * UNPADDED,
        "reduced_padded": 2 * PADDED,
        "reduced_unpadded": 2 * UNPADDED,
    }
    assert measured["speedup"] == {
        "padded_over_padded": 3.0,
        "unpadded_over_padded": 3 * PADDED / UNPADDED,
        "unpadded_over_unpadded": 3.0,
        "bert_by_skipping_padding": PADDED / UNPADDED,
    }
    assert (measured["texts"], measured["rounds"], measured["batch_size"]) == (6, 2, 4)


def test_ratios_are_against_both_baselines():
    cost = {
        "bert_padded": 60.0,
        "bert_unpadded": 30.0,
        "reduced_padded": 20.0,
        "reduced_unpadded": 5.0,
    }
    assert speedups(cost) == {
        "padded_over_padded": 3.0,
        "unpadded_over_padded": 12.0,
        "unpadded_over_unpadded": 6.0,
        "bert_by_skipping_padding": 2.0,
    }


def test_modes_are_timed_by_text_the_fastest_first(clock):
    _, power = models()
    modes = [
        {"runtime": "tensorflow", "dtype": dtype, "jit_compile": False}
        for dtype in ("float32", "bfloat16")
    ]
    texts = TEXTS[:4]
    measured = mode_times(power, modes, texts, [[0] * len(text) for text in texts], most_runs=5)
    # Padded to the longest, of 12.
    assert measured == [
        {**modes[1], "ms_a_text": 1000 * 12 * 1.0},
        {**modes[0], "ms_a_text": 1000 * 12 * 2.0},
    ]
