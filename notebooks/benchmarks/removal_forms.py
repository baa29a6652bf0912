"""Whether the three forms of AdapLeR's model answer alike: hidden, one text at a time, packed.

    python notebooks/benchmarks/removal_forms.py runs/sst2

Over the dev set of a run.
"""

import argparse
import pathlib

import numpy as np
from tabulate import tabulate

from power_bert_tf.deploy.compiled import CompiledClassifier
from power_bert_tf.runs.run import open_run


def answers(model, preprocessor, texts, text_pairs=None):
    """What a model answers in each form, a dict of names to arrays (texts, outputs)."""
    whole = (texts,) if text_pairs is None else (texts, text_pairs)
    singly = zip(*([[each] for each in given] for given in whole), strict=True)
    any_length = model.at_length(None)
    one_by_one = [
        any_length(preprocessor.pad_to_longest(*text, multiple=1), training=False)
        for text in singly
    ]
    return {
        "words hidden, padded to N": model.predict(preprocessor(*whole), verbose=0),
        "one text at a time": np.concatenate(one_by_one),
        "packed rows": CompiledClassifier(model, preprocessor).predict(*whole),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path, help="folder of a finished run of AdapLeR")
    run = open_run(parser.parse_args().run)
    dev = run.folder.dev()
    found = answers(run.model(), run.preprocessor, dev.texts, dev.text_pairs)
    first = next(iter(found.values()))
    rows = [
        [name, f"{np.abs(each - first).max():.1e}", f"{(each.argmax(1) != first.argmax(1)).sum()}"]
        for name, each in found.items()
    ]
    headers = [f"{len(dev):,} texts", "largest difference", "other labels"]
    print(tabulate(rows, headers, disable_numparse=True))


if __name__ == "__main__":
    main()
