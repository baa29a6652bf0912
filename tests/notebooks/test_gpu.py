"""The table for GPUs: Figure 1's configuration, and a file for each length and dtype."""

import json

import pytest

from notebooks import scripts
from power_bert_tf.measure.comparison import TEXTBOOK
from power_bert_tf.measure.comparison import WAYS


def test_figure_1():
    figure_1 = scripts.load("gpu").figure_1
    assert figure_1(12, 128) == "80,73,70,50,50,40,33,27,20,15,13,3"
    # Shares of 128, rounded up: 80 is 50 of 80, 73 is 45.6.
    assert figure_1(12, 80) == "50,46,44,32,32,25,21,17,13,10,9,2"
    assert figure_1(2, 128) == "40,3"
    assert figure_1(6, 128) == "73,50,40,27,15,3"
    assert figure_1(8, 128) == "73,70,50,40,27,20,13,3"
    assert figure_1(24, 128).split(",")[:4] == ["80", "80", "73", "73"]


@pytest.mark.large
def test_under_jax_without_tensorflow(tmp_path):
    pytest.importorskip("jax")
    options = "--size bert-tiny --sequence-lengths 16 32 --dtypes float32 bfloat16 --batch-size 4"
    printed = scripts.run_under_jax(
        "gpu", "--output", tmp_path / "gpu", *options.split(), "--runs", "2"
    )
    retentions = {16: "5,1", 32: "10,1"}
    files = {(length, dtype) for length in retentions for dtype in ("float32", "bfloat16")}
    assert {path.name for path in (tmp_path / "gpu").iterdir()} == {
        f"bert-tiny_{length}_{dtype}.json" for length, dtype in files
    }
    for length, dtype in files:
        figures = json.loads((tmp_path / "gpu" / f"bert-tiny_{length}_{dtype}.json").read_text())
        assert (figures["model"], figures["backend"]) == ("bert-tiny", "jax")
        assert figures["sequence_length"] == figures["mean_length"] == length
        assert figures["configuration"] == retentions[length]
        time = figures["time"]
        assert (time["runtime"], time["dtype"]) == ("jax", dtype)
        assert (time["batch_size"], time["texts"], time["rounds"]) == (4, 4, 2)
        assert set(time["seconds"]) == {TEXTBOOK, *WAYS}
        assert all(seconds["median"] > 0 for seconds in time["seconds"].values())
        assert f"jax {dtype} XLA on " in printed
