"""The two configurations that PoWER-BERT's paper prints, and numbers worked by hand."""

import pytest

from power_bert_tf.deploy.flops import encoder_flops
from power_bert_tf.deploy.flops import encoders_flops
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling import RetentionConfiguration

# Goyal et al., PoWER-BERT (ICML 2020): section 4 gives RTE's configuration, figure 1 the other.
PUBLISHED = {
    "RTE": (256, "153,125,111,105,85,80,72,48,35,27,22,5", 3.29),
    "figure 1": (128, "80,73,70,50,50,40,33,27,20,15,13,3", 3.01),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_configurations_at_the_sizes_of_bert_base(name):
    length, retention, expected = PUBLISHED[name]
    config = EncoderConfig()
    saved = encoders_flops(config, length) / encoders_flops(
        config, length, RetentionConfiguration.parse(retention)
    )
    assert saved == pytest.approx(expected, abs=0.01)


def test_an_encoder_by_hand():
    """8pH^2 + 4p^2H + 4eHF for p word-vectors in and e on, with H = 4, F = 6."""
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=4, intermediate_dim=6)
    expected = 8 * 5 * 16 + 4 * 25 * 4 + 4 * 3 * 4 * 6
    assert encoder_flops(config, 0, entering=5, leaving=3) == expected


def test_encoders_of_different_sizes():
    config = EncoderConfig(
        num_layers=2,
        num_heads=(2, 1),
        hidden_dim=4,
        intermediate_dim=(6, 2),
        key_dim=(2, 3),
        value_dim=(2, 1),
    )
    # Query and key project to 3, value to 1 and back; two products over 3 + 1 numbers a pair.
    expected = 2 * 5 * 4 * (3 + 3 + 1 + 1) + 2 * 25 * (3 + 1) + 4 * 3 * 4 * 2
    assert encoder_flops(config, 1, entering=5, leaving=3) == expected
    both = encoder_flops(config, 0, 5, 5) + encoder_flops(config, 1, 5, 5)
    assert encoders_flops(config, 5) == both


@pytest.mark.parametrize(("retention", "kept"), [("6,2", (6, 2)), ("6,2 of 16", (3, 1))])
def test_each_encoder_takes_what_the_one_before_let_through(retention, kept):
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=4, intermediate_dim=6)
    expected = encoder_flops(config, 0, 8, kept[0]) + encoder_flops(config, 1, kept[0], kept[1])
    assert encoders_flops(config, 8, RetentionConfiguration.parse(retention)) == expected


def test_keeping_everything_saves_nothing():
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=4, intermediate_dim=6)
    everything = RetentionConfiguration.parse("9,9")
    for length in (4, 9):
        assert encoders_flops(config, length, everything) == encoders_flops(config, length)
