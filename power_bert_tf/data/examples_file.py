"""Examples of any kind in a file of our own, exactly as they are in memory."""

import json

from power_bert_tf.data.examples import Examples
from power_bert_tf.data.rows import json_rows
from power_bert_tf.data.rows import row_error
from power_bert_tf.files import write_text


def write_examples(path, examples):
    """Writes `Examples` as JSONL: a header, then an example a line with all of its texts."""
    header = {"label_names": list(examples.label_names), "choices": examples.choices}
    lines, choices = [header], examples.choices
    for index, label in enumerate(examples.labels):
        rows = slice(index * choices, (index + 1) * choices)
        line = {"label": label.item(), "texts": list(examples.texts[rows])}
        if examples.text_pairs is not None:
            line["text_pairs"] = list(examples.text_pairs[rows])
        lines.append(line)
    write_text(path, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))


def read_examples(path):
    """Reads what `write_examples` wrote.

    Raises:
        InputError: where the file cannot be read, or is none.
    """
    (_, header), *rows = json_rows(path, ())
    try:
        texts = [text for _, row in rows for text in row["texts"]]
        pairs = None
        if rows and "text_pairs" in rows[0][1]:
            pairs = [text for _, row in rows for text in row["text_pairs"]]
        labels = [row["label"] for _, row in rows]
        return Examples(texts, pairs, labels, tuple(header["label_names"]), header["choices"])
    except (KeyError, TypeError) as error:
        raise row_error(path, 1, "examples that a run has written", repr(error)) from error
