import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given
from keras import ops
from layers import numpy_reference

from modeling.models import DEEP
from modeling.models import LENGTH
from modeling.models import LONGER
from modeling.models import REDUCTIONS
from modeling.models import few_examples
from modeling.models import logits
from modeling.models import outputs
from modeling.models import pad
from modeling.models import random_text
from modeling.models import reduced_classifier
from modeling.models import small_classifier
from modeling.models import small_config
from modeling.models import texts
from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.reductions import Extraction
from power_bert_tf.methods.power_bert.reductions import SoftExtraction
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.modeling import BertClassifier


def some_texts(seed=0):
    """Three texts: of one word, of some, and as long as can be."""
    generator = np.random.default_rng(seed)
    return [random_text(generator, words) for words in (1, 5, LENGTH)]


def agrees_with_numpy(model, batch):
    answers = logits(model, pad(batch, model.sequence_length))
    for answer, (token_ids, segment_ids) in zip(answers, batch, strict=True):
        expected = numpy_reference.classify(model, token_ids, segment_ids)
        np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", REDUCTIONS)
@few_examples
@given(batch=texts())
def test_agrees_with_numpy(name, batch):
    agrees_with_numpy(reduced_classifier(name, LONGER), batch)


@pytest.mark.parametrize(
    "changes",
    [
        {"num_layers": 1, "num_heads": 1, "pooler": False},
        {"num_layers": 3, "num_heads": 4, "activation": "gelu_tanh"},
        {
            "num_layers": 3,
            "num_heads": (1, 3, 2),
            "key_dim": (3, 1, 2),
            "value_dim": (2, 4, 1),
            "intermediate_dim": (5, 3, 7),
            "activation": "relu",
        },
    ],
)
@pytest.mark.parametrize("reduced", [False, True])
def test_any_depth_and_any_heads_agree_with_numpy(changes, reduced):
    config = small_config(**changes)
    reduction = Extraction([5, 3, 2][: config.num_layers]) if reduced else None
    agrees_with_numpy(small_classifier(config=config, reduction=reduction), some_texts())


def test_a_model_without_segments_agrees_with_numpy():
    model = small_classifier(config=small_config(num_segments=0))
    batch = [(token_ids, None) for token_ids, _ in some_texts()]
    inputs = pad(some_texts(), LENGTH)
    del inputs["segment_ids"]
    assert sorted(model.input) == sorted(inputs)
    answers = logits(model, inputs)
    for answer, (token_ids, _) in zip(answers, batch, strict=True):
        expected = numpy_reference.classify(model, token_ids, None)
        np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "reduction",
    [
        Extraction([LENGTH] * 3),
        *(
            Extraction(f"{LENGTH},{LENGTH},{LENGTH} of {LENGTH}", selection=selection)
            for selection in ("attention", "head", "random")
        ),
        SoftExtraction(0.1),
        SoftExtraction(0.1, basis="relative"),
    ],
)
def test_keeping_all_is_exactly_plain_bert(reduction):
    plain = reduced_classifier("none", LENGTH)
    inputs = pad(some_texts(), LENGTH)
    kept = plain.with_reduction(reduction)
    # Not compiled as a whole, which may round the same operations in another way.
    np.testing.assert_array_equal(kept.logits_model(inputs), plain.logits_model(inputs))


def test_probabilities_are_the_softmax_of_the_logits():
    model = small_classifier(num_classes=3, label_names=["no", "maybe", "yes"])
    inputs = pad(some_texts(), LENGTH)
    expected = numpy_reference.softmax(logits(model, inputs).astype("float64"))
    np.testing.assert_allclose(outputs(model, inputs), expected, rtol=0, atol=1e-6)
    assert model.label_names == ("no", "maybe", "yes")


@pytest.mark.parametrize("head", ["regression", "multiple_choice"])
def test_one_number_is_given_as_it_is(head):
    model = small_classifier(num_classes=1, head=head)
    inputs = pad(some_texts(), LENGTH)
    answers = outputs(model, inputs)
    assert answers.shape == (3, 1)
    np.testing.assert_allclose(answers, logits(model, inputs), rtol=0, atol=1e-6)
    assert answers.min() < 0 or answers.max() > 1


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    weights = small_classifier(reduction=SoftExtraction(0.25)).get_weights()
    model = small_classifier(reduction=SoftExtraction(0.25), dtype=policy)
    model.set_weights(weights)
    probabilities = model(pad(some_texts(), LENGTH))
    assert keras.backend.standardize_dtype(probabilities.dtype) == "float32"
    assert model.get_layer("encoder_1_feed_forward").compute_dtype == policy.removeprefix("mixed_")
    np.testing.assert_allclose(ops.sum(probabilities, axis=1), 1, atol=1e-6)
    first, second = model.reduction.masses(model)
    assert float(sum(model.losses)) == pytest.approx(0.25 * first + 0.5 * second, rel=1e-6)
    assert {keras.backend.standardize_dtype(loss.dtype) for loss in model.losses} == {"float32"}


def train(model):
    """One large step on the first output, in the same direction for every example."""
    inputs = pad(some_texts(), model.sequence_length)
    targets = np.zeros(3, "int32")
    model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    model.fit(inputs, targets, verbose=0)


def kernels(model):
    return {
        variable.path: ops.convert_to_numpy(variable).copy()
        for variable in model.weights
        if variable.path.endswith("kernel")
    }


def test_with_reduction_copies():
    bert = small_classifier(num_classes=2, label_names=["bad", "good"])
    before = kernels(bert)
    search = bert.with_reduction(SoftExtraction(0.02))
    for path, kernel in kernels(search).items():
        np.testing.assert_array_equal(kernel, before[path])
    masses = search.reduction.masses(search)
    assert masses == [LENGTH, LENGTH]
    train(search)
    for path, kernel in kernels(bert).items():
        np.testing.assert_array_equal(kernel, before[path])
    trained = kernels(search)
    assert any(np.abs(trained[path] - before[path]).max() > 1e-3 for path in before)
    assert all(mass < LENGTH - 0.05 for mass in search.reduction.masses(search))

    retention = RetentionConfiguration.from_search(search)
    power = search.with_reduction(Extraction(retention))
    for path, kernel in kernels(power).items():
        np.testing.assert_array_equal(kernel, trained[path])
    assert power.reduction.retention == retention
    for model in (search, power):
        assert (model.label_names, model.num_classes) == (("bad", "good"), 2)
        assert (model.config, model.sequence_length) == (bert.config, LENGTH)
    assert "encoder_0_soft_extract" not in [layer.name for layer in power.layers]


@pytest.mark.parametrize("name", ["none", "soft relative", "attention relative"])
def test_at_length_shares(name):
    model = small_classifier(config=DEEP, reduction=REDUCTIONS[name], label_names=["bad", "good"])
    shorter = model.at_length(5)
    assert shorter.label_names == ("bad", "good")
    assert shorter.reduction is model.reduction
    ours, theirs = ({v.path: v for v in each.weights} for each in (model, shorter))
    assert ours.keys() == theirs.keys()
    assert all(ours[path] is theirs[path] for path in ours)
    inputs = pad([random_text(np.random.default_rng(0), 5)], 5)
    before = logits(shorter, inputs)
    model.get_layer("classifier").bias.assign([7.0, -7.0])
    assert np.abs(logits(shorter, inputs) - before).max() > 3
    # A graph that was cut from a shorter one reaches back over the same variables.
    again = shorter.at_length(LENGTH)
    inputs = pad(some_texts(), LENGTH)
    np.testing.assert_array_equal(logits(again, inputs), logits(model, inputs))


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_a_file_that_could_not_be_loaded_is_not_written(tmp_path, name):
    with pytest.raises(InputError, match=f"must end in .keras. Received: .*{name}"):
        small_classifier().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_search_at_another_length_can_be_saved(tmp_path):
    search = small_classifier(reduction=SoftExtraction(0.1))
    shorter = search.at_length(4)
    shorter.save(tmp_path / "shorter.keras")
    loaded = keras.saving.load_model(tmp_path / "shorter.keras")
    inputs = pad([random_text(np.random.default_rng(0), 4)], 4)
    np.testing.assert_array_equal(loaded(inputs), shorter(inputs))
    assert loaded.reduction.masses(loaded) == search.reduction.masses(search)


def test_a_model_comes_back_in_the_precision_it_was_built_in(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        small_classifier().save(tmp_path / "model.keras")
    finally:
        keras.config.set_dtype_policy("float32")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.dtype_policy.name == "mixed_bfloat16"
    assert loaded.get_layer("encoder_1_feed_forward").compute_dtype == "bfloat16"


def test_float16_is_trained_with_its_loss_scaled():
    model = small_classifier(dtype="mixed_float16")
    train(model)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def test_retention_parameters_end_where_the_search_was_built():
    with pytest.raises(ValueError, match="rows=12, length=8"):
        small_classifier(reduction=SoftExtraction(0.1)).at_length(LONGER)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head": "ranking"}, "head='ranking'"),
        ({"num_classes": 1}, "num_classes=1, head='classification'"),
        ({"num_classes": 0, "head": "regression"}, "num_classes=0"),
        ({"num_classes": 2, "head": "regression"}, "num_classes=2, head='regression'"),
        ({"num_classes": 4, "head": "multiple_choice"}, "num_classes=4, head='multiple_choice'"),
        ({"label_names": ["one"]}, r"each of the 2 classes.*\['one'\]"),
        ({"sequence_length": 0}, "sequence_length=0"),
        ({"sequence_length": 17}, "position embeddings, 16.*sequence_length=17"),
        ({"reduction": Extraction("8,3,2")}, "each of the 2 encoders.*3 in 8,3,2"),
        ({"reduction": Extraction("8")}, "each of the 2 encoders.*1 in 8"),
        ({"reduction": Extraction("9,3")}, "sequence length 8.*9 in 9,3"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        BertClassifier(small_config(), **{"sequence_length": LENGTH, **arguments})
    assert "\n" not in str(caught.value)


def test_a_reduction_that_needs_a_length():
    with pytest.raises(InputError, match="`sequence_length` must be a number.*None"):
        BertClassifier(small_config(), sequence_length=None, reduction=SoftExtraction(0.1))


def test_lengths_out_of_range():
    model = small_classifier()
    with pytest.raises(InputError, match="sequence_length=17"):
        model.at_length(17)
    with pytest.raises(InputError, match="9 in 9,3"):
        model.with_reduction(Extraction("9,3"))


# What a process of its own does with the models that another one has written.
LOAD = """
import pathlib, sys
import keras
import numpy as np
import power_bert_tf.modeling

for path in pathlib.Path(sys.argv[1]).glob("*.keras"):
    model = keras.models.load_model(path)
    inputs = np.load(path.with_suffix(".npz"))
    np.save(path.with_suffix(".npy"), model.predict(dict(inputs), verbose=0))
    print(path.stem, type(model).__name__, model.name, list(model.label_names), sep="|")
"""


@pytest.mark.slow
def test_keras_round_trip_in_another_process(tmp_path):
    models = {
        "plain": small_classifier(num_classes=2, label_names=["bad", "good"], name="plain"),
        "search": small_classifier(
            config=DEEP, reduction=REDUCTIONS["soft relative"], name="search"
        ),
        "power": small_classifier(
            config=DEEP, reduction=REDUCTIONS["attention relative"], name="power"
        ),
        "regression": small_classifier(
            config=small_config(num_heads=(1, 2), intermediate_dim=(3, 4)),
            num_classes=1,
            head="regression",
            name="regression",
        ),
        "choice": small_classifier(
            num_classes=1, head="multiple_choice", label_names=["A", "B", "C"], name="choice"
        ),
    }
    inputs = pad(some_texts(), LENGTH)
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.npz", **inputs)
    process = subprocess.run(
        [sys.executable, "-c", LOAD, tmp_path],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": keras.config.backend()},
        cwd=pathlib.Path(__file__).parents[2],
    )
    assert process.returncode == 0, process.stderr
    assert sorted(process.stdout.splitlines()) == sorted(
        f"{name}|BertClassifier|{name}|{list(model.label_names)}" for name, model in models.items()
    )
    for name, model in models.items():
        np.testing.assert_allclose(
            np.load(tmp_path / f"{name}.npy"), outputs(model, inputs), rtol=0, atol=1e-5
        )


def test_a_loaded_model_goes_on(tmp_path):
    search = small_classifier(reduction=SoftExtraction(0.25, basis="relative"))
    search.save(tmp_path / "search.keras")
    loaded = keras.models.load_model(tmp_path / "search.keras")
    assert RetentionConfiguration.from_search(loaded) == RetentionConfiguration.from_search(search)
    reduction = Extraction(RetentionConfiguration.from_search(loaded))
    inputs = pad(some_texts(), LENGTH)
    np.testing.assert_array_equal(
        logits(loaded.with_reduction(reduction), inputs),
        logits(search.with_reduction(reduction), inputs),
    )
