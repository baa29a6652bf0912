"""How each library builds a classifier: a function from a batch's inputs to answers."""

import io
import os
import pathlib
import tempfile
import warnings

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
from peer_texts import INPUTS
from peer_texts import batches_of
from peer_texts import lengths_of
from peer_texts import texts_of

from power_bert_tf.deploy.batching import Batch
from power_bert_tf.deploy.openvino_options import compile_options

# The sizes of all-MiniLM-L6, in transformers' words.
MINILM = {
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
}
CALIBRATION_TEXTS = 128
# The size of model2vec's potion-base-8M.
STATIC_DIMENSIONS = 256
TORCH_NAMES = dict(zip(INPUTS, ("input_ids", "attention_mask", "token_type_ids"), strict=True))


def torch_model(kind):
    """A classifier of transformers; DistilBERT knows no segments."""
    import torch
    import transformers

    torch.manual_seed(0)
    if kind == "distilbert":
        model_class = transformers.DistilBertForSequenceClassification
        config, sizes = transformers.DistilBertConfig, {}
    else:
        model_class = transformers.BertForSequenceClassification
        config, sizes = transformers.BertConfig, MINILM if kind == "minilm" else {}
    return model_class(config(attn_implementation="sdpa", return_dict=False, **sizes)).eval()


def torch_names(kind):
    """The names of the inputs, ours to theirs."""
    return dict(list(TORCH_NAMES.items())[: 2 if kind == "distilbert" else 3])


def torch_example(kind, length=16):
    """Two texts as transformers' models take them, the second one padded."""
    import torch

    example = {
        theirs: torch.ones(2, length, dtype=torch.int64) for theirs in torch_names(kind).values()
    }
    example["attention_mask"][1, length // 2 :] = 0
    return example


def calibration(arguments):
    """A few batches of random texts of the lengths that are measured, for int8."""
    token_ids = texts_of(lengths_of(arguments)[:CALIBRATION_TEXTS], seed=1)
    return batches_of(token_ids, 32)


def pytorch(kind, dtype, arguments):
    import torch

    model = torch_model(kind).to(getattr(torch, dtype))

    def run(inputs):
        with torch.inference_mode():
            tensors = {
                theirs: torch.from_numpy(inputs[ours]) for ours, theirs in torch_names(kind).items()
            }
            return model(**tensors)[0].float().numpy()

    return run


def onnx(kind, dtype, arguments):
    import onnxruntime
    import torch

    example, file = torch_example(kind), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            torch_model(kind),
            (),
            file,
            kwargs=example,
            input_names=list(example),
            dynamic_axes={name: {0: "batch", 1: "length"} for name in example},
            dynamo=False,
        )
    content = file.getvalue() if dtype == "float32" else dynamic_int8(file.getvalue())
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def run(inputs):
        feed = {theirs: inputs[ours].astype("int64") for ours, theirs in torch_names(kind).items()}
        return session.run(None, feed)[0]

    return run


def dynamic_int8(content):
    """An ONNX model with weights of 8 bits, and activations that are rounded as they come."""
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization import quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        before, after = pathlib.Path(folder, "before.onnx"), pathlib.Path(folder, "after.onnx")
        before.write_bytes(content)
        # Signed weights: unsigned ones take longer here.
        quantize_dynamic(before, after, weight_type=QuantType.QInt8)
        return after.read_bytes()


def openvino(kind, dtype, arguments):
    import openvino

    # Before TensorFlow is imported: what torch imports may crash after it.
    model = torch_model(kind)

    from power_bert_tf.deploy.quantization import quantized

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = openvino.convert_model(model, example_input=torch_example(kind))
    names = torch_names(kind)

    def feed(inputs):
        return {theirs: inputs[ours].astype("int64") for ours, theirs in names.items()}

    # One graph of any shape: as fast as static ones, which take memory for each.
    model.reshape({port.get_any_name(): [-1, -1] for port in model.inputs})
    if dtype == "int8":
        model = quantized(model, [feed(inputs) for inputs in calibration(arguments)])
    request = openvino.Core().compile_model(model, "CPU", compile_options(dtype))
    request = request.create_infer_request()

    def run(inputs):
        request.infer(feed(inputs))
        return np.array(request.get_output_tensor(0).data)

    return run


def keras_hub(kind, dtype, arguments):
    import keras
    import keras_hub
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=30522,
        num_layers=12,
        num_heads=12,
        hidden_dim=768,
        intermediate_dim=3072,
        dtype=dtype if dtype == "float32" else f"mixed_{dtype}",
    )
    model = keras_hub.models.BertTextClassifier(backbone, 2)
    function = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)

    def run(inputs):
        return function({name: tf.constant(value) for name, value in inputs.items()}).numpy()

    return run


def ours(kind, dtype, arguments):
    import keras

    from power_bert_tf import BertClassifier
    from power_bert_tf import CompiledClassifier
    from power_bert_tf import EncoderConfig
    from power_bert_tf import Extraction

    keras.utils.set_random_seed(0)
    reduction = Extraction(arguments.retention) if kind == "power-bert" else None
    config = EncoderConfig.of_size(SIZES.get(kind, "bert-base"))
    model = BertClassifier(config, 2, arguments.sequence_length, reduction)
    texts = (texts_of(lengths_of(arguments)[:CALIBRATION_TEXTS], seed=1), None)
    compiled = CompiledClassifier(
        model,
        batch_size=arguments.batch_size,
        runtime="openvino",
        dtype=dtype,
        calibration=texts if dtype == "int8" else None,
    )

    def run(inputs):
        rows, length = inputs["token_ids"].shape
        return compiled.run([Batch(np.arange(rows), length, inputs)])

    return run


def model2vec(kind, dtype, arguments):
    """The mean of a vector for each word, and a product: takes strings."""
    from model2vec import StaticModel
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(str(arguments.vocabulary))._tokenizer
    random = np.random.default_rng(0)
    shape = (tokenizer.get_vocab_size(), STATIC_DIMENSIONS)
    model = StaticModel(random.standard_normal(shape, "float32"), tokenizer)
    weights = random.standard_normal((STATIC_DIMENSIONS, 2), "float32")

    def run(strings):
        return model.encode(strings) @ weights

    return run


THEIRS = ("bert", "distilbert", "minilm")
# What this package calls them.
SIZES = {"distilbert": "distilbert-base", "minilm": "minilm-l6"}
PEERS = {
    f"{library.__name__}-{kind}-{dtype}": (library, kind, dtype)
    for library, kinds, dtypes in (
        (pytorch, THEIRS, ("float32", "bfloat16")),
        (onnx, THEIRS, ("float32", "int8")),
        (openvino, THEIRS, ("float32", "bfloat16", "int8")),
        (keras_hub, ("bert",), ("float32", "bfloat16")),
        (ours, (*THEIRS, "power-bert"), ("float32", "bfloat16", "int8")),
        (model2vec, ("static",), ("float32",)),
    )
    for kind in kinds
    for dtype in dtypes
}
PACKAGES = {
    pytorch: ("torch", "transformers"),
    onnx: ("onnxruntime", "torch", "transformers"),
    openvino: ("nncf", "openvino", "torch", "transformers"),
    keras_hub: ("keras", "keras-hub", "tensorflow"),
    ours: ("keras", "nncf", "openvino", "tensorflow"),
    model2vec: ("model2vec",),
}
