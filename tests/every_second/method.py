import dataclasses

import keras
from keras import ops

from every_second.options import EverySecondOptions
from power_bert_tf.methods.method import FINE_TUNE
from power_bert_tf.methods.method import Method
from power_bert_tf.methods.method import TrainingStep
from power_bert_tf.modeling.reduction import Reduction
from power_bert_tf.modeling.reduction import Selection
from power_bert_tf.training.optimizers import fine_tuning_optimizer


class EverySecondRow(keras.layers.Layer):
    def call(self, padding_mask):
        return padding_mask * ops.cast(ops.arange(ops.shape(padding_mask)[1]) % 2 == 0, "int32")


@keras.saving.register_keras_serializable(package="every_second")
class EverySecond(Reduction):
    drops = True

    def kept(self, num_layers, length):
        return (-(-length // 2),) * num_layers

    def entering_of(self, length, kept):
        return tuple(kept)

    def select_before(self, layers, index, vectors):
        if index > 0:
            return None
        stays = layers(EverySecondRow, "every_second_row")(vectors.padding_mask)
        return Selection.from_mask(stays, None if vectors.rows is None else -(-vectors.rows // 2))


@dataclasses.dataclass(frozen=True)
class Adapt(TrainingStep):
    epochs: int
    learning_rate: float
    name = "adapt"

    def build(self, work):
        return work.finished(FINE_TUNE).with_reduction(EverySecond())

    def optimizer(self, steps):
        return fine_tuning_optimizer(self.learning_rate, steps)


class EverySecondMethod(Method):
    name, title, Options = "every-second", "Every second", EverySecondOptions

    def steps(self, plan):
        return (Adapt(plan.options.adapting_epochs, plan.task.learning_rate),)


METHOD = EverySecondMethod()
