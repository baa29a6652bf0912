"""What a model is trained for: the loss and the metrics of each head."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="power_bert_tf")
class MultipleChoiceLoss(keras.losses.Loss):
    """Cross-entropy of a softmax over the scores of each question's options.

    Args:
        choices: int. Options a question, side by side in the batch.
        **arguments: those of `keras.losses.Loss`.

    Call arguments: `y_true`, the indices of the right options, (questions,), and `y_pred`, scores
    of shape (questions * choices, 1).

    Example:

    ```python
    model = BertClassifier(config, 1, 512, head="multiple_choice")
    model.compile("adam", MultipleChoiceLoss(4), metrics=[MultipleChoiceAccuracy(4)])
    ```
    """

    def __init__(self, choices, name="multiple_choice_loss", **arguments):
        super().__init__(name=name, **arguments)
        self.choices = choices

    def call(self, y_true, y_pred):
        scores = ops.reshape(y_pred, (-1, self.choices))
        right = ops.reshape(y_true, (-1,))
        return keras.losses.sparse_categorical_crossentropy(right, scores, from_logits=True)

    def get_config(self):
        return {**super().get_config(), "choices": self.choices}


@keras.saving.register_keras_serializable(package="power_bert_tf")
class MultipleChoiceAccuracy(keras.metrics.Mean):
    """The share of questions whose right option has the highest score.

    Args:
        choices: int. Options a question, side by side in the batch.
        **arguments: those of `keras.metrics.Mean`.
    """

    def __init__(self, choices, name="accuracy", **arguments):
        super().__init__(name=name, **arguments)
        self.choices = choices

    def update_state(self, y_true, y_pred, sample_weight=None):
        scores = ops.reshape(y_pred, (-1, self.choices))
        right = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        hits = ops.equal(ops.cast(ops.argmax(scores, axis=-1), "int32"), right)
        return super().update_state(ops.cast(hits, self.dtype), sample_weight)

    def get_config(self):
        return {**super().get_config(), "choices": self.choices}


def objective(head, choices=1):
    """Loss and metrics of a head, as `compile` takes them.

    Args:
        head: str, the head of a `BertClassifier`.
        choices: int. Options a question, for multiple choice.
    """
    return {
        "classification": ("sparse_categorical_crossentropy", ["accuracy"]),
        "regression": ("mean_squared_error", []),
        "multiple_choice": (MultipleChoiceLoss(choices), [MultipleChoiceAccuracy(choices)]),
    }[head]
