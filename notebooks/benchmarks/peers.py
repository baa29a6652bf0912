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
import json
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from peer_libraries import PACKAGES
from peer_libraries import PEERS
from peer_libraries import model2vec
from peer_libraries import ours
from peer_texts import batches_of
from peer_texts import lengths_of
from peer_texts import strings_of
from peer_texts import texts_of
from tabulate import tabulate

from power_bert_tf.deploy.processor import cpu
from power_bert_tf.errors import InputError
from power_bert_tf.measure.timing import interleaved_seconds

WAYS = ("padded", "as they come", "sorted")
FROM_TEXTS = "from texts"


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
