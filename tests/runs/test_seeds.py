"""Mean and deviation of runs with several seeds."""

import pytest

from power_bert_tf.runs.seeds import summary_of_seeds
from power_bert_tf.runs.seeds import table


def report(bert, reduced, unpadded):
    return {
        "task": "toy",
        "title": "PoWER-BERT",
        "metric": "accuracy",
        "examples": {"train": 10, "dev": 5},
        "measured_by": "dev",
        "held_out": False,
        "score": {"bert": bert, "reduced": reduced, "drop_points": 100 * (bert - reduced)},
        "operations": {
            "speedup": {"unpadded_over_unpadded": unpadded, "padded_over_padded": 2 * unpadded}
        },
    }


def test_mean_and_deviation_are_of_all_seeds():
    reports = [report(0.90, 0.88, 1.5), report(0.92, 0.89, 2.0), report(0.91, 0.90, 2.5)]
    result = summary_of_seeds(reports, (3, 4, 5))
    assert [row["seed"] for row in result["seeds"]] == [3, 4, 5]
    assert result["mean"] == {
        "bert": pytest.approx(91.0),
        "reduced": pytest.approx(89.0),
        "drop": pytest.approx(2.0),
        "unpadded": pytest.approx(2.0),
        "padded": pytest.approx(4.0),
    }
    # Of a sample: divided by two.
    assert result["deviation"]["drop"] == pytest.approx(1.0)
    assert result["deviation"]["unpadded"] == pytest.approx(0.5)
    *_, mean, deviation = table(result).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (mean, deviation)]
    assert cells[0] == ["mean", "91.00", "89.00", "2.00", "2.00x", "4.00x"]
    assert cells[1] == ["standard deviation", "1.00", "1.00", "1.00", "0.50x", "1.00x"]
