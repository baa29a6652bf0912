"""What is exported answers in another process as the model does here, or is not exported."""

import json
import os
import subprocess
import sys

import numpy as np

from power_bert_tf.errors import InputError

_CHECKED_TEXTS = 64


def check_answers(program, folder, examples, expected):
    """Asks an export in a process of its own, as it will be loaded.

    Args:
        program: str, Python that is given the folder as its argument and a JSON object of `texts`
            and `text_pairs` on the standard input, and prints outputs as a JSON list last.
        folder: path of the export.
        examples: `Examples`; the first 64 texts are asked.
        expected: function from lists of texts and of second texts, or None, to the model's outputs.

    Raises:
        InputError: where it cannot be loaded, or an answer differs.
    """
    rows = min(len(examples), max(1, _CHECKED_TEXTS // examples.choices))
    some = examples.select(np.arange(rows))
    pairs = None if some.text_pairs is None else some.text_pairs.tolist()
    asked = {"texts": some.texts.tolist(), "text_pairs": pairs}
    # A method of one's own may lie where this process alone looks.
    paths = os.pathsep.join(path for path in sys.path if path)
    process = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        env={**os.environ, "PYTHONPATH": paths},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        said = process.stderr.strip().splitlines()[-1:]
        raise InputError(f"the export cannot be loaded, and is removed: {' '.join(said)}")
    outputs = expected(asked["texts"], pairs)
    difference = np.abs(np.array(json.loads(process.stdout)).reshape(outputs.shape) - outputs)
    if not difference.max() <= 1e-3:
        raise InputError(
            "the export must answer as the model, and is removed: of "
            f"{len(asked['texts'])} dev texts one differs by {difference.max():.2g}"
        )


def model_answers(model, preprocessor):
    """A function from texts and second texts, or None, to what a model here answers."""
    return lambda *texts: np.asarray(model(preprocessor(*texts), training=False), "float32")
