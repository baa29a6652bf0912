import keras
import numpy as np
import pytest

from power_bert_tf.training.schedules import WarmupLinearDecay


def rates(schedule, steps):
    return [float(schedule(step)) for step in range(steps)]


def test_rises_then_falls_by_hand():
    # Two of ten steps warm up; from the peak at step 2 it is nine steps down to zero at step 11.
    expected = [0.5, 1, 8 / 9, 7 / 9, 6 / 9, 5 / 9, 4 / 9, 3 / 9, 2 / 9, 1 / 9, 0, 0]
    schedule = WarmupLinearDecay(0.03, 10, warmup=0.2)
    np.testing.assert_allclose(rates(schedule, 12), 0.03 * np.array(expected), atol=1e-9)


def test_no_warmup_starts_near_the_peak():
    np.testing.assert_allclose(
        rates(WarmupLinearDecay(2.0, 4, warmup=0.0), 5), [1.6, 1.2, 0.8, 0.4, 0], atol=1e-6
    )


def test_all_warmup_only_rises():
    np.testing.assert_allclose(
        rates(WarmupLinearDecay(1.0, 4, warmup=1.0), 4), [0.25, 0.5, 0.75, 1.0], atol=1e-6
    )


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5, 1.0])
def test_a_single_step_is_taken_at_a_positive_rate(warmup):
    assert 0.4 <= float(WarmupLinearDecay(1.0, 1, warmup)(0)) <= 1.0


def test_serialises():
    schedule = WarmupLinearDecay(0.5, 7, warmup=0.3)
    config = keras.saving.serialize_keras_object(schedule)
    restored = keras.saving.deserialize_keras_object(config)
    assert type(restored) is WarmupLinearDecay
    assert restored.get_config() == {"peak": 0.5, "steps": 7, "warmup": 0.3}
    assert rates(restored, 8) == rates(schedule, 8)


@pytest.mark.parametrize("arguments", [{"steps": 0}, {"steps": -1}, {"warmup": -0.1}])
def test_refuses_what_makes_no_schedule(arguments):
    with pytest.raises(ValueError, match=f"`{next(iter(arguments))}`.*Received"):
        WarmupLinearDecay(**{"peak": 1.0, "steps": 5, **arguments})
