"""Files of one's own, as a run's task reads them."""

import dataclasses

from power_bert_tf.data import Columns
from power_bert_tf.data import iterate_questions
from power_bert_tf.data import iterate_texts
from power_bert_tf.data import load_from_file
from power_bert_tf.data import load_questions
from power_bert_tf.data.race import option_pairs
from power_bert_tf.errors import InputError
from power_bert_tf.runs.options import DataOptions


def load_labelled(run, path):
    """`Examples` of a run's task from a file; questions with their answers for multiple choice."""
    if run.task.head == "multiple_choice":
        return load_questions(path, run.task.labels, answered=True)[1]
    labels, numbers = run.task.labels or None, run.task.is_regression
    examples = load_from_file(path, labels, numbers, columns_of(run))
    run.check_pairs(examples.text_pairs, path)
    return examples


def columns_of(run):
    """What the files that a run was made from call their columns, and so what others do."""
    source = run.folder.settings().get("source")
    return Columns() if source is None else DataOptions.from_source(source).columns


@dataclasses.dataclass(frozen=True)
class Asked:
    """What one answer is to be given to.

    Args:
        shown: dict, what stands beside the answer.
        texts, text_pairs: lists of str, one text, or those of a question's options; the pairs None
            where the task has none.
    """

    shown: dict
    texts: list
    text_pairs: list | None = None


def asked_in_file(run, path):
    """What is asked in a file without labels, one by one, as it is read.

    Yields:
        `Asked`, with all columns of the file; of a question without its article, which is long
        and the same for many.
    """
    if run.task.head == "multiple_choice":
        for question, pairs, _ in iterate_questions(path, run.task.labels):
            shown = {name: value for name, value in question.items() if name != "article"}
            yield Asked(shown, *map(list, zip(*pairs, strict=True)))
        return
    for row, text, text_pair in iterate_texts(path, columns_of(run)):
        pairs = None if text_pair is None else [text_pair]
        run.check_pairs(pairs, path)
        yield Asked(row, [text], pairs)


def asked_on_command_line(run, texts):
    """What is asked by texts on the command line, a list of `Asked`.

    Raises:
        InputError: where a pair or a question is not whole.
    """
    if run.task.head == "multiple_choice":
        if len(texts) != 2 + len(run.task.labels):
            raise InputError(
                f"`texts` must be an article, a question and {len(run.task.labels)} options. "
                f"Received: {len(texts)}"
            )
        article, question, *options = texts
        pairs = zip(*option_pairs(article, question, options), strict=True)
        return [Asked({"question": question, "options": options}, *map(list, pairs))]
    if not run.task.is_pair:
        return [Asked({"text": text}, [text]) for text in texts]
    if len(texts) % 2:
        raise InputError(
            "`texts` must come in twos, since the run's task is about pairs of texts. "
            f"Received: {len(texts)}"
        )
    return [
        Asked({"text": one, "text_pair": other}, [one], [other])
        for one, other in zip(texts[::2], texts[1::2], strict=True)
    ]
