"""The measured peak is a rate of products that were really computed."""

import numpy as np
import pytest

from power_bert_tf.measure import peak


def expected_sum(size, count):
    random = np.random.default_rng(0)
    left, right = (random.normal(scale=size**-0.5, size=(size, size)) for _ in range(2))
    return (left @ np.linalg.matrix_power(right, count)).sum()


@pytest.fixture
def clock(monkeypatch):
    """Each call is computed, and takes what the test says; its sums are kept."""

    class Clock:
        sums, seconds = [], {"backend": [0.5, 0.25], "openvino": [0.4, 0.2]}

    def seconds(functions, **rounds):
        Clock.sums += [float(function()) for function in functions.values()]
        return {name: np.array(Clock.seconds[name]) for name in functions}

    monkeypatch.setattr(peak, "interleaved_seconds", seconds)
    return Clock


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("bfloat16", 0.1)])
def test_peak(clock, dtype, tolerance):
    # Three products of matrices, of the larger 2 * 16**3 operations each, in a quarter of a second.
    assert peak.matrix_product_peak(dtype, sizes=(8, 16), count=3) == 2 * 16**3 * 3 / 0.25
    expected = [expected_sum(8, 3), expected_sum(16, 3)]
    assert clock.sums == pytest.approx(expected, rel=tolerance)


def test_openvino_has_products_of_its_own(clock):
    pytest.importorskip("openvino")
    assert peak.matrix_product_peak("float32", "openvino", (8,), 3) == 2 * 8**3 * 3 / 0.2
    assert clock.sums == pytest.approx([expected_sum(8, 3)] * 2, rel=1e-4)


def test_a_real_clock():
    assert 1e7 < peak.matrix_product_peak(sizes=(64,), count=2, runs=3) < 1e14
