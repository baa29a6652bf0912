"""Times BERT-base and DistilBERT, of random weights, in other people's libraries and in ours.

The same texts for each, padded to N and in length buckets, interleaved in one process:

    python notebooks/benchmarks/peers.py --sequence-length 128 --batch-size 32 --output peers.json

`--lengths` gives a file with the length of a real text in each line, in word-pieces; without it
every text has N. `--retention` adds this package's PoWER-BERT, in OpenVINO. `--peers` takes names
such as `openvino-bert-bfloat16`, or beginnings of names.
Needs the extras `large`, `openvino`, `onnx` and `test`.
"""

import argparse
import importlib.metadata
import io
import json
import os
import pathlib
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np

from power_bert_tf.deploy.batching import Batch
from power_bert_tf.deploy.batching import bucket_lengths
from power_bert_tf.deploy.batching import make_batches
from power_bert_tf.deploy.processor import cpu
from power_bert_tf.errors import InputError
from power_bert_tf.measure.timing import interleaved_seconds

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
    model_class, config = {
        "bert": (transformers.BertForSequenceClassification, transformers.BertConfig),
        "distilbert": (
            transformers.DistilBertForSequenceClassification,
            transformers.DistilBertConfig,
        ),
    }[kind]
    return model_class(config(attn_implementation="sdpa", return_dict=False)).eval()


def torch_names(kind):
    """The names of the inputs, ours to theirs."""
    return dict(list(TORCH_NAMES.items())[: 3 if kind == "bert" else 2])


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
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])

    def run(inputs):
        feed = {theirs: inputs[ours].astype("int64") for ours, theirs in torch_names(kind).items()}
        return session.run(None, feed)[0]

    return run


def openvino(kind, dtype, arguments):
    import openvino

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = openvino.convert_model(torch_model(kind), example_input=torch_example(kind))
    core, requests = openvino.Core(), {}
    options = {
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[dtype],
        "PERFORMANCE_HINT": "LATENCY",
    }

    def run(inputs):
        rows, length = inputs["token_ids"].shape
        # Static shapes where they occur most, to its advantage; few graphs for the rest.
        shape = (rows if rows == arguments.batch_size else -1, length)
        if shape not in requests:
            model.reshape({port.get_any_name(): list(shape) for port in model.inputs})
            requests[shape] = core.compile_model(model, "CPU", options).create_infer_request()
        feed = {theirs: inputs[ours].astype("int64") for ours, theirs in torch_names(kind).items()}
        requests[shape].infer(feed)
        return np.array(requests[shape].get_output_tensor(0).data)

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
    reduction = None if kind == "bert" else Extraction(arguments.retention)
    model = BertClassifier(
        EncoderConfig.of_size("bert-base"), 2, arguments.sequence_length, reduction
    )
    compiled = CompiledClassifier(
        model, batch_size=arguments.batch_size, runtime="openvino", dtype=dtype, packed=False
    )

    def run(inputs):
        rows, length = inputs["token_ids"].shape
        return compiled.run([Batch(np.arange(rows), length, inputs)])

    return run


PEERS = {
    f"{library.__name__}-{kind}-{dtype}": (library, kind, dtype)
    for library, kinds, dtypes in (
        (pytorch, ("bert", "distilbert"), ("float32", "bfloat16")),
        (onnx, ("bert", "distilbert"), ("float32",)),
        (openvino, ("bert", "distilbert"), ("float32", "bfloat16")),
        (keras_hub, ("bert",), ("float32", "bfloat16")),
        (ours, ("bert", "power-bert"), ("float32", "bfloat16")),
    )
    for kind in kinds
    for dtype in dtypes
}
PACKAGES = {
    pytorch: ("torch", "transformers"),
    onnx: ("onnxruntime", "torch", "transformers"),
    openvino: ("openvino", "torch", "transformers"),
    keras_hub: ("keras", "keras-hub", "tensorflow"),
    ours: ("keras", "openvino", "tensorflow"),
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
    ]
    for each in arguments.peers:
        if not any(name.startswith(each) for name in names):
            raise InputError(
                f"--peers must be among {', '.join(PEERS)}, or beginnings of them; power-bert goes "
                f"with --retention. Received: {each}"
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


def measure(arguments, names, packages):
    """Seconds for all texts by peer and way, with what they were measured on."""
    random = np.random.default_rng(0)
    length = arguments.sequence_length
    sizes = np.full(arguments.texts or arguments.batch_size, length)
    if arguments.lengths is not None:
        given = np.array([int(line) for line in arguments.lengths.read_text().split()])
        chosen = given if arguments.texts is None else random.choice(given, arguments.texts)
        sizes = np.minimum(chosen, length)
    token_ids = [random.integers(1000, 30000, size) for size in sizes]
    segment_ids = [np.zeros_like(ids) for ids in token_ids]
    ways = {"padded": (length,)}
    if sizes.min() < length:
        ways["buckets"] = bucket_lengths(length)
    # The same batches that the package cuts for its own models.
    batch_sizes, overhead = np.arange(1, arguments.batch_size + 1), 64
    batches = {
        way: make_batches(token_ids, segment_ids, lengths, batch_sizes, overhead)
        for way, lengths in ways.items()
    }
    runs = {name: PEERS[name][0](*PEERS[name][1:], arguments) for name in names}

    def work(run, way):
        return lambda: (run(batch.inputs) for batch in batches[way])

    seconds = interleaved_seconds(
        {(name, way): work(run, way) for name, run in runs.items() for way in ways},
        float("inf"),
        arguments.runs,
        arguments.runs,
    )
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
            f"{name}-{way}": dict(
                zip(("p5", "median", "p95"), np.percentile(each, (5, 50, 95)).tolist(), strict=True)
            )
            for (name, way), each in seconds.items()
        },
    }


def table(result):
    lines = [
        f"N = {result['sequence_length']}, mean length {result['mean_length']:.1f}, batch "
        f"{result['batch_size']}, {result['texts']} texts, {result['runs']} runs, "
        f"{result['cores']} cores; milliseconds a text, median (p5 to p95)",
    ]
    for name, seconds in result["seconds"].items():
        low, median, high = (
            1000 * seconds[key] / result["texts"] for key in ("p5", "median", "p95")
        )
        lines.append(f"{name:40}{median:9.2f}  ({low:.2f} to {high:.2f})")
    return "\n".join(lines)


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
