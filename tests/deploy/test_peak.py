"""The measured peak is a rate of products that were really computed."""

import numpy as np
import pytest

from power_bert_tf.deploy import peak


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_peak(monkeypatch, dtype):
    sums = []

    def seconds(functions, most_runs):
        sums.append(float(functions["products"]()))
        return {"products": np.array([0.5, 0.25])}

    monkeypatch.setattr(peak, "interleaved_seconds", seconds)
    # Three products of 8 x 8 matrices, 2 * 8**3 operations each, in a quarter of a second.
    assert peak.matrix_product_peak(dtype, size=8, count=3, runs=2) == 2 * 8**3 * 3 / 0.25
    random = np.random.default_rng(0)
    left, right = (random.normal(scale=8**-0.5, size=(8, 8)) for _ in range(2))
    expected = (left @ right @ right @ right).sum()
    assert sums[0] == pytest.approx(expected, rel=1e-4 if dtype == "float32" else 0.1)
