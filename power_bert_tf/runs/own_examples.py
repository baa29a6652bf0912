"""Files of one's own, as a run's task reads them."""

from power_bert_tf.data import load_from_file
from power_bert_tf.data import load_questions
from power_bert_tf.data import load_texts
from power_bert_tf.data.race import option_pairs
from power_bert_tf.errors import InputError


def load_labelled(run, path):
    """`Examples` of a run's task from a file; questions with their answers for multiple choice."""
    if run.task.head == "multiple_choice":
        return load_questions(path, run.task.labels, answered=True)[1]
    examples = load_from_file(path, run.task.labels or None, run.task.is_regression)
    run.check_pairs(examples.text_pairs, path)
    return examples


def load_asked(run, path):
    """What is asked in a file without labels.

    Returns:
        list of dict, one for each answer; the texts; the text pairs or None.
    """
    if run.task.head == "multiple_choice":
        questions, examples = load_questions(path, run.task.labels)
        return _shown(questions), examples.texts, examples.text_pairs
    texts, text_pairs = load_texts(path)
    run.check_pairs(text_pairs, path)
    return _asked(texts, text_pairs), texts, text_pairs


def given_asked(run, texts):
    """What is asked by texts on the command line; as `load_asked`.

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
        return _shown([{"question": question, "options": options}]), *pairs
    if not run.task.is_pair:
        return _asked(texts, None), texts, None
    if len(texts) % 2:
        raise InputError(
            "`texts` must come in twos, since the run's task is about pairs of texts. "
            f"Received: {len(texts)}"
        )
    return _asked(texts[::2], texts[1::2]), texts[::2], texts[1::2]


def answered(run, asked, answers):
    """What was asked with its answers, a list of dict; an option is named and spelt out."""
    both = [{**question, **answer} for question, answer in zip(asked, answers, strict=True)]
    if run.task.head == "multiple_choice":
        for each in both:
            each["answer"] = each["options"][run.task.labels.index(each["label"])]
    return both


def _asked(texts, text_pairs):
    if text_pairs is None:
        return [{"text": text} for text in texts]
    pairs = zip(texts, text_pairs, strict=True)
    return [{"text": one, "text_pair": other} for one, other in pairs]


def _shown(questions):
    """Questions without the article, which is long and the same for all of its questions."""
    return [{name: each[name] for name in ("question", "options")} for each in questions]
