"""A checkpoint folder that transformers loads."""

import dataclasses

import keras
import safetensors.numpy

from power_bert_tf.deploy.checked import check_answers
from power_bert_tf.deploy.checked import model_answers
from power_bert_tf.deploy.saved_model import check_export_folder
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_folder
from power_bert_tf.files import write_json
from power_bert_tf.files import write_text
from power_bert_tf.modeling import NoReduction
from power_bert_tf.modeling.backbones import BACKBONES
from power_bert_tf.modeling.checkpoints.huggingface import OWN_KEY
from power_bert_tf.modeling.checkpoints.huggingface import model_table

_ACTIVATIONS = {"gelu": "gelu", "gelu_tanh": "gelu_new", "relu": "relu"}
_PLAIN = "transformers gives the same logits."
_DROPS = (
    "transformers does not know elimination: it runs these weights as a plain BERT, slower, and "
    "with other answers than those of the model that was measured."
)
_USE = """
    import power_bert_tf as pb

    checkpoint = pb.open_checkpoint(FOLDER)
    model = pb.BertClassifier.from_checkpoint(checkpoint, reduction=checkpoint.reduction)
"""
# In another process, as it will be loaded: answers on the standard output.
_ANSWER = """
import json, sys
import numpy as np
import power_bert_tf as pb
import {module}
from power_bert_tf.data import tokenizer_from_file
asked = json.load(sys.stdin)
checkpoint = pb.open_checkpoint(sys.argv[1])
model = pb.BertClassifier.from_checkpoint(
    checkpoint, {num_classes}, {length}, head={head!r}, reduction=checkpoint.reduction
)
tokenizer = tokenizer_from_file(checkpoint.vocabulary, checkpoint.lowercase)
preprocessor = pb.Preprocessor(tokenizer, {length}, {truncation!r})
inputs = preprocessor(asked["texts"], asked["text_pairs"])
json.dump(np.asarray(model(inputs, training=False)).tolist(), sys.stdout)
"""


def export_huggingface(model, preprocessor, folder, examples=None, card=""):
    """Writes config.json, model.safetensors, the vocabulary and what says how to use it.

    transformers loads the folder as `BertForSequenceClassification` or `BertForMultipleChoice`, or
    as that of another backbone, and gives the same logits where nothing is eliminated: it knows no
    elimination. The reduction is kept in config.json, where `open_checkpoint` finds it.

    Args:
        model: `BertClassifier`, plain or with a reduction that drops word-vectors.
        preprocessor: `Preprocessor`, whose tokenizer is written.
        folder: where the checkpoint is to appear; must be new or empty.
        examples: `Examples`. The first 64 are answered in a process of its own by what
            `open_checkpoint` makes of the folder, elimination and all; where that is not what the
            model answers, nothing is written.
        card: str, Markdown, to be written as `README.md`; one line on what transformers makes of
            the folder is added.

    Returns:
        str, that line.

    Raises:
        InputError: where `folder` holds something, transformers has no such model, or the answers
            differ.
    """
    check_export_folder(folder)
    model = model if model.compute_dtype == "float32" else model.with_dtype("float32")
    config, reduction = _config(model, preprocessor.tokenizer.pad_id), model.reduction
    config[OWN_KEY], note = {"sequence_length": model.sequence_length}, _PLAIN
    if reduction.drops:
        config[OWN_KEY]["reduction"] = keras.saving.serialize_keras_object(reduction)
        note = _DROPS
    if card:
        card = f"{card}\n{note}\n"
    else:
        card = (
            f"# A classifier of power_bert_tf\n\n{note}\n\n"
            f"As it was trained, with power_bert_tf:\n{_USE}"
        )
    variables = {variable.path: variable for variable in model.weights}
    tokenizer = preprocessor.tokenizer

    def write(aside):
        tensors = {
            theirs: _array(variables[ours])
            for ours, theirs, _ in model_table(model.config, model.num_classes)
        }
        safetensors.numpy.save_file(tensors, aside / "model.safetensors", {"format": "pt"})
        write_json(aside / "config.json", config)
        write_json(aside / "tokenizer_config.json", _tokenizer_config(tokenizer, model))
        (aside / tokenizer.file_name).write_bytes(tokenizer.to_bytes())
        write_text(aside / "README.md", card)
        module = type(reduction).__module__
        # What a notebook defines cannot be loaded in another process.
        if examples is not None and module != "__main__":
            program = _ANSWER.format(
                module=module,  # Registers a method of one's own.
                num_classes=model.num_classes,
                length=model.sequence_length,
                head=model.head,
                truncation=preprocessor.truncation,
            )
            check_answers(program, aside, examples, model_answers(model, preprocessor))

    write_folder(folder, write)
    return note


def _array(variable):
    array = keras.ops.convert_to_numpy(variable).astype("float32")
    # safetensors writes memory as it lies: a transposed view has to be put in order.
    return array.T.copy() if variable.path.endswith("/kernel") else array


def _config(model, pad_id):
    """config.json of a `BertForSequenceClassification` or `BertForMultipleChoice`, or another
    backbone's."""
    config, backbone = model.config, BACKBONES[model.config.backbone]
    _check(model, backbone)
    keys = _keys(backbone)
    size = config.encoder(0)
    values = {key: getattr(config, name) for name, key in keys.items()}
    values[keys["num_heads"]] = size.num_heads
    values[keys["intermediate_dim"]] = size.intermediate_dim
    values[keys["max_sequence_length"]] += config.position_offset
    values[keys["activation"]] = _ACTIVATIONS[config.activation]
    if config.head_dropout is None:
        del values[keys["head_dropout"]]
    purpose = "MultipleChoice" if model.head == "multiple_choice" else "SequenceClassification"
    return {
        "model_type": backbone.model_type,
        "architectures": [f"{backbone.transformers}For{purpose}"],
        **values,
        "pad_token_id": pad_id,
        **backbone.required,
        **({} if model.head == "multiple_choice" else _classes(model)),
    }


def _classes(model):
    names = model.label_names or [f"LABEL_{index}" for index in range(model.num_classes)]
    is_regression = model.head == "regression"
    return {
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
        "problem_type": "regression" if is_regression else "single_label_classification",
    }


def _keys(backbone):
    """The key in config.json of each field of `EncoderConfig` that has one."""
    return {**backbone.sizes, **{name: key for name, (key, _) in backbone.options.items()}}


def _check(model, backbone):
    """Raises InputError where transformers has no such model."""
    config = model.config
    sizes = [config.encoder(index) for index in range(config.num_layers)]
    size = sizes[0]
    # What config.json does not say is the same in all models of the kind.
    said = {*_keys(backbone), "backbone", "key_dim", "value_dim"}
    unsaid = [
        (field.name, getattr(config, field.name), (backbone.fixed.get(field.name, field.default),))
        for field in dataclasses.fields(config)
        if field.name not in said
    ]
    for name, value, expected in (
        ("reduction", type(model.reduction).__name__, _exportable(model.reduction)),
        ("encoders of different sizes", len(set(sizes)) > 1, (False,)),
        ("width of all heads", size.num_heads * size.key_dim, (config.hidden_dim,)),
        ("value_dim", size.value_dim, (size.key_dim,)),
        ("segments", config.num_segments > 0, (backbone.fixed.get("num_segments") != 0,)),
        *unsaid,
    ):
        if value not in expected:
            raise InputError(
                f"transformers has no {backbone.transformers} like `model`, which cannot be "
                "exported to it. "
                f"Received: {name}={value!r}, expected {' or '.join(map(repr, expected))}"
            )


def _exportable(reduction):
    """The names that it may have: transformers has no place for further weights."""
    return (NoReduction.__name__, *(() if reduction.has_weights else (type(reduction).__name__,)))


def _tokenizer_config(tokenizer, model):
    specials = {name: getattr(tokenizer, f"{name}_id") for name in ("pad", "unk", "cls", "sep")}
    return {
        "tokenizer_class": f"{BACKBONES[model.config.backbone].transformers}Tokenizer",
        "do_lower_case": tokenizer.lowercase,
        "do_basic_tokenize": True,
        "tokenize_chinese_chars": True,
        "strip_accents": None,
        "model_max_length": model.config.max_sequence_length,
        **{f"{name}_token": tokenizer.vocabulary[index] for name, index in specials.items()},
        "mask_token": "[MASK]",
    }
