"""What a model's outputs say, in words."""

import numpy as np


def named_answers(outputs, head, label_names):
    """A dict for each text, or for each question of multiple choice.

    Args:
        outputs: float array (texts, outputs), as a model gives them.
        head: str, the model's.
        label_names: sequence of str, the classes, or the options of a question.

    Returns:
        list of dict: `label` and `probabilities` for classes and options, `score` for regression.
    """
    if head == "regression":
        return [{"score": float(output[0])} for output in outputs]
    if head == "multiple_choice":
        scores = outputs.reshape(-1, len(label_names))
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        outputs = shares / shares.sum(axis=1, keepdims=True)
    return [_class_answer(label_names, output) for output in outputs]


def _class_answer(names, output):
    rounded = (round(float(value), 6) for value in output)
    return {
        "label": names[int(output.argmax())],
        "probabilities": dict(zip(names, rounded, strict=True)),
    }
