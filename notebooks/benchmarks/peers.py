"""Times BERT-base, DistilBERT and MiniLM's size in other people's libraries and in ours.

The same texts for each, interleaved in one process, with random weights: speed does not depend on
them. Each in three ways: padded to N, batches as the texts come, and batches of sorted texts, the
last two padded to the longest of the batch and, in ours, packed:

    python notebooks/benchmarks/peers.py --lengths notebooks/results/mrpc_lengths.txt \
        --retention "80,73,70,50,50,40,33,27,20,15,13,3 of 128" --output peers.json

`--lengths` gives a file with the length of a real text in each line, in word-pieces; without it
every text has N. `--retention` adds this package's PoWER-BERT, in OpenVINO. `--peers` takes names
such as `openvino-bert-bfloat16`, or beginnings of names, and `--ways` some of the ways.
`--vocabulary` gives a vocab.txt and adds a fourth way: from texts of its words, each library with
its tokenizer, sorted after tokenizing; and with it a static model of model2vec, of random vectors.
int8 is NNCF's for OpenVINO, and for ONNX Runtime its dynamic one.
Needs the extras `large`, `openvino`, `onnx` and `test`, and with `--vocabulary` the package
model2vec.
"""

import argparse
import functools
import importlib.metadata
import io
import json
import os
import pathlib
import tempfile
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
from tabulate import tabulate

from power_bert_tf.deploy.batching import Batch
from power_bert_tf.deploy.openvino_options import compile_options
from power_bert_tf.deploy.processor import cpu
from power_bert_tf.errors import InputError
from power_bert_tf.measure.timing import interleaved_seconds

# The sizes of all-MiniLM-L6, in transformers' words.
MINILM = {
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
}
CALIBRATION_TEXTS = 128
WAYS = ("padded", "as they come", "sorted")
FROM_TEXTS = "from texts"
# The size of model2vec's potion-base-8M.
STATIC_DIMENSIONS = 256
TORCH_NAMES = {
    "token_ids": "input_ids",
    "padding_mask": "attention_mask",
    "segment_ids": "token_type_ids",
}


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


def calibration(arguments):
    """A few batches of random texts of the lengths that are measured, for int8."""
    token_ids = texts_of(lengths_of(arguments)[:CALIBRATION_TEXTS], seed=1)
    return batches_of(token_ids, 32)


def torch_example(kind, length=16):
    """Two texts as transformers' models take them, the second one padded."""
    import torch

    example = {
        theirs: torch.ones(2, length, dtype=torch.int64) for theirs in torch_names(kind).values()
    }
    example["attention_mask"][1, length // 2 :] = 0
    return example


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


def asked_for(arguments):
    """The names of the peers to time.

    Raises:
        InputError: where a name or beginning of `--peers` stands for none.
    """
    names = [
        name
        for name, (_, kind, _) in PEERS.items()
        if kind != "power-bert" or arguments.retention is not None
        if kind != "static" or arguments.vocabulary is not None
    ]
    for each in arguments.peers:
        if not any(name.startswith(each) for name in names):
            raise InputError(
                f"--peers must be among {', '.join(PEERS)}, or beginnings of them; power-bert goes "
                f"with --retention, model2vec with --vocabulary. Received: {each}"
            )
    return [name for name in names if name.startswith(tuple(arguments.peers))]


def versions(names):
    """The versions of what the peers need, by package.

    Raises:
        InputError: where a package is not installed.
    """
    packages = sorted({package for name in names for package in PACKAGES[PEERS[name][0]]})
    try:
        return {package: importlib.metadata.version(package) for package in packages}
    except importlib.metadata.PackageNotFoundError as error:
        raise InputError(f"--peers needs the package {error.name}, or names without it") from error


def lengths_of(arguments):
    """The lengths of the texts that are measured, an int array."""
    length = arguments.sequence_length
    if arguments.lengths is None:
        return np.full(arguments.texts or arguments.batch_size, length)
    given = np.array([int(line) for line in arguments.lengths.read_text().split()])
    random = np.random.default_rng(0)
    chosen = given if arguments.texts is None else random.choice(given, arguments.texts)
    return np.minimum(chosen, length)


def texts_of(sizes, seed=0):
    """Texts of random word-pieces, a list of int arrays."""
    random = np.random.default_rng(seed)
    return [random.integers(1000, 30000, size) for size in sizes]


def batches_of(token_ids, batch_size, length=None):
    """Inputs of texts in their order, each batch padded to its longest or to `length`."""
    batches = []
    for begin in range(0, len(token_ids), batch_size):
        texts = token_ids[begin : begin + batch_size]
        shape = (len(texts), length or max(map(len, texts)))
        inputs = {name: np.zeros(shape, "int32") for name in TORCH_NAMES}
        for row, ids in enumerate(texts):
            inputs["token_ids"][row, : len(ids)] = ids
            inputs["padding_mask"][row, : len(ids)] = 1
        batches.append(inputs)
    return batches


def words_of(vocabulary):
    """Whole words of a vocab.txt that are one word-piece each, an array of str."""
    pieces = vocabulary.read_text(encoding="utf-8").splitlines()
    return np.array([piece for piece in pieces if piece.isascii() and piece.isalpha()])


def strings_of(sizes, vocabulary):
    """Texts of random words, a list of str, of so many word-pieces with the two special ones."""
    random, words = np.random.default_rng(0), words_of(vocabulary)
    return [" ".join(random.choice(words, max(0, size - 2))) for size in sizes]


def tokenizing(library, arguments):
    """The function of a library from strings to lists of ids.

    Ours is TensorFlow's; the others' that of the package `tokenizers`, as transformers has it.
    """
    length = arguments.sequence_length
    if library is ours:
        from power_bert_tf.data import Preprocessor
        from power_bert_tf.data import WordPieceTokenizer

        pieces = arguments.vocabulary.read_text(encoding="utf-8").splitlines()
        preprocessor = Preprocessor(WordPieceTokenizer(pieces), length)
        return lambda strings: preprocessor.encode(strings)[0]
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(str(arguments.vocabulary))
    tokenizer.enable_truncation(length)
    return lambda strings: [encoding.ids for encoding in tokenizer.encode_batch(strings)]


def from_texts(run, tokenize, strings, batch_size):
    """The steps from strings to answers: to tokenize all of them, then each sorted batch."""
    token_ids = sorted(tokenize(strings), key=len)
    yield
    for inputs in batches_of(token_ids, batch_size):
        yield run(inputs)


def measure(arguments, names, packages):
    """Seconds for all texts by peer and way, with what they were measured on."""
    length, sizes = arguments.sequence_length, lengths_of(arguments)
    token_ids = texts_of(sizes)
    cut = functools.partial(batches_of, batch_size=arguments.batch_size)
    batches = {
        "padded": cut(token_ids, length=length),
        "as they come": cut(token_ids),
        "sorted": cut(sorted(token_ids, key=len)),
    }
    ways = arguments.ways if sizes.min() < length else ["padded"]
    vocabulary = arguments.vocabulary
    strings = None if vocabulary is None else strings_of(sizes, vocabulary)
    runs = {name: PEERS[name][0](*PEERS[name][1:], arguments) for name in names}

    def work(run, way):
        return lambda: (run(inputs) for inputs in batches[way])

    works = {}
    for name, run in runs.items():
        library = PEERS[name][0]
        if library is model2vec:
            works[name, FROM_TEXTS] = functools.partial(run, strings)
            continue
        works |= {(name, way): work(run, way) for way in ways}
        if strings is not None:
            works[name, FROM_TEXTS] = functools.partial(
                from_texts, run, tokenizing(library, arguments), strings, arguments.batch_size
            )
    seconds = interleaved_seconds(works, float("inf"), arguments.runs, arguments.runs)
    return {
        "sequence_length": length,
        "mean_length": float(sizes.mean()),
        "batch_size": arguments.batch_size,
        "texts": len(sizes),
        "runs": arguments.runs,
        "retention": arguments.retention,
        "cores": os.cpu_count(),
        "cpu": cpu(),
        "versions": packages,
        "seconds": {
            f"{name}: {way}": dict(
                zip(("p5", "median", "p95"), np.percentile(each, (5, 50, 95)).tolist(), strict=True)
            )
            for (name, way), each in seconds.items()
        },
    }


def table(result):
    """The medians, a line for each peer and a column for each way."""
    rows, ways = {}, dict.fromkeys(name.split(": ")[1] for name in result["seconds"])
    for name, seconds in result["seconds"].items():
        peer, way = name.split(": ")
        row = rows.setdefault(peer, dict.fromkeys(ways))
        row[way] = 1000 * seconds["median"] / result["texts"]
    return (
        f"N = {result['sequence_length']}, mean length {result['mean_length']:.1f}, batch "
        f"{result['batch_size']}, {result['texts']} texts, {result['runs']} runs, "
        f"{result['cores']} cores; milliseconds a text, median\n"
        + tabulate(
            [[peer, *row.values()] for peer, row in rows.items()], ["", *ways], floatfmt=".2f"
        )
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequence-length", type=int, default=128, help="N")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lengths", type=pathlib.Path, help="file, one length a line")
    parser.add_argument(
        "--texts",
        type=int,
        help="how many; one batch, or each of --lengths once, where left out",
    )
    parser.add_argument("--runs", type=int, default=20, help="measured rounds of all peers")
    parser.add_argument("--retention", help="configuration of this package's PoWER-BERT")
    parser.add_argument(
        "--ways", nargs="+", default=list(WAYS), choices=WAYS, help="of batches; all where left out"
    )
    parser.add_argument(
        "--vocabulary", type=pathlib.Path, help="vocab.txt; adds the way from texts, and model2vec"
    )
    parser.add_argument("--peers", nargs="+", default=[""], help="names or beginnings of names")
    parser.add_argument("--output", type=pathlib.Path, help="JSON file")
    arguments = parser.parse_args()
    try:
        names = asked_for(arguments)
        packages = versions(names)
    except InputError as error:
        parser.error(str(error))
    result = measure(arguments, names, packages)
    print(table(result))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
