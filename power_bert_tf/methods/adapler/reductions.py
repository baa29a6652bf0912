"""AdapLeR's two answers: words that fade while it trains, and those that stay after it."""

import math

import keras

from power_bert_tf.errors import InputError
from power_bert_tf.methods.adapler.contribution_predictor import HIDDEN_DIM
from power_bert_tf.methods.adapler.contribution_predictor import ContributionPredictor
from power_bert_tf.methods.adapler.contributions import SLOPE
from power_bert_tf.methods.adapler.removal_layers import ClsPooling
from power_bert_tf.methods.adapler.removal_layers import Contributing
from power_bert_tf.methods.adapler.removal_layers import ContributionThreshold
from power_bert_tf.methods.adapler.removal_layers import Presence
from power_bert_tf.methods.adapler.removal_layers import SoftMask
from power_bert_tf.modeling.reduction import Reduction
from power_bert_tf.modeling.reduction import Selection

# A lambda at which hardly anything is left between staying and leaving.
_STEEP = 1e5


class _Predicting(Reduction):
    """Predicts before each encoder what the words that enter it contribute."""

    has_weights = True

    def __init__(self, activation="gelu"):
        self.activation = activation

    def _contributions(self, layers, index, vectors):
        """How far words are there, what each contributes, and the threshold: three tensors."""
        present = layers(Presence, f"encoder_{index}_presence")(
            vectors.padding_mask, vectors.attention_bias
        )
        predictor = layers(
            ContributionPredictor,
            f"encoder_{index}_contribution",
            activation=self.activation,
        )
        places = {"places": vectors.places} if vectors.packed else {}
        contributed = predictor(vectors.hidden, present, **places)
        delta = layers(ContributionThreshold, self.threshold_name(index))(present)
        return contributed, delta

    @staticmethod
    def threshold_name(index):
        """The name of the layer that holds an encoder's eta."""
        return f"encoder_{index}_threshold"

    def etas(self, model):
        """The eta of each encoder of `model`, a list of floats."""
        names = map(self.threshold_name, range(model.config.num_layers))
        return [float(model.get_layer(name).eta.numpy()) for name in names]


@keras.saving.register_keras_serializable(package="power_bert_tf")
class SoftRemoval(_Predicting):
    """Words that contribute too little fade out of attention: the model that AdapLeR trains.

    Its batches hold "saliency" beside the inputs of BERT, float (batch, N): how much each
    word-piece contributes to the right answer, 0 for padding. BERT and the predictors learn from
    the task's loss and from how far predictions are from it; the thresholds and the pooling of CLS
    from the task's loss and from how many words are left. Both in one step, on TensorFlow.

    Args:
        gamma: float. Weight of the predictors' loss.
        phi: float. Weight of the number of words that are left: more of it is faster.
        steepness: `SteepnessSchedule`, lambda by training step, or a float: 1e5, at which words
            leave at once, unless given.
        slope: float in (0, 0.1], the paper's beta.
        activation: str, that of the predictors.

    Raises:
        InputError: where an argument is out of range.

    Reference: AdapLeR (Modarressi et al., 2022), section 3.3.

    Example:

    ```python
    schedule = pb.SteepnessSchedule(steps_per_epoch)
    model = bert.with_reduction(pb.SoftRemoval(gamma=5e-3, phi=5e-4, steepness=schedule))
    optimizer = pb.adapting_optimizer(2e-5, 1e-3, 2.5e-3, steps)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.fit(batches, epochs=5)
    faster = model.with_reduction(pb.Removal())
    ```
    """

    fades = True
    # Late in the training few words are left to attend to; to drop one of them is to lose a word.
    attention_dropout = False

    def __init__(self, gamma=5e-3, phi=5e-4, steepness=_STEEP, slope=SLOPE, activation="gelu"):
        super().__init__(activation)
        for name, value in (("gamma", gamma), ("phi", phi)):
            if not 0 <= value < math.inf:
                raise InputError(f"`{name}` must be at least 0. Received: {name}={value}")
        if not callable(steepness) and not 0 < steepness < math.inf:
            raise InputError(f"`steepness` must be positive. Received: steepness={steepness}")
        if not 0 < slope <= SLOPE:
            raise InputError(f"`slope` must be in (0, {SLOPE}]. Received: slope={slope}")
        self.gamma = gamma
        self.phi = phi
        self.steepness = steepness
        self.slope = slope

    @property
    def deployed(self):
        return Removal(self.activation)

    def before_encoder(self, layers, index, vectors):
        contributed, delta = self._contributions(layers, index, vectors)
        pooled = contributed
        if index > 0:
            pooled = layers(ClsPooling, self.pooling_name(index))(contributed)
        bias = layers(SoftMask, self.mask_name(index), slope=self.slope)(
            pooled, delta, vectors.padding_mask, vectors.attention_bias
        )
        seen = {f"encoder_{index}_contributions": contributed, f"encoder_{index}_bias": bias}
        return vectors.replace(attention_bias=bias).remember(**seen)

    @staticmethod
    def pooling_name(index):
        """The name of the layer that holds an encoder's theta; the first encoder has none."""
        return f"encoder_{index}_pooling"

    @staticmethod
    def mask_name(index):
        """The name of the layer that holds an encoder's lambda."""
        return f"encoder_{index}_soft_mask"

    def train_step(self, model, *arguments):
        if keras.config.backend() != "tensorflow":
            raise InputError(
                "`SoftRemoval` trains on TensorFlow. "
                f"Received: KERAS_BACKEND={keras.config.backend()}"
            )
        from power_bert_tf.methods.adapler.training_step import training_step

        return training_step(self, model, *arguments)

    def steepness_at(self, step):
        """Lambda at a training step."""
        return self.steepness(step) if callable(self.steepness) else self.steepness

    def get_config(self):
        steepness = self.steepness
        if callable(steepness):
            steepness = keras.saving.serialize_keras_object(steepness)
        return {
            "gamma": self.gamma,
            "phi": self.phi,
            "steepness": steepness,
            "slope": self.slope,
            "activation": self.activation,
        }

    @classmethod
    def from_config(cls, config):
        steepness = config["steepness"]
        if isinstance(steepness, dict):
            steepness = keras.saving.deserialize_keras_object(steepness)
        return cls(**{**config, "steepness": steepness})


@keras.saving.register_keras_serializable(package="power_bert_tf")
class Removal(_Predicting):
    """Words that contribute too little leave before each encoder: AdapLeR as it is deployed.

    How many stay is up to the text. A word stays while its contribution is at least eta / n, n the
    text's own words that are still there. A graph of static shapes hides the others, which saves
    nothing; packed rows, and graphs of any length, drop them.

    Args:
        activation: str, that of the predictors.

    Reference: AdapLeR (Modarressi et al., 2022), section 3.2.
    """

    drops = True
    adaptive = True

    def check_source(self, model):
        if not isinstance(model.reduction, _Predicting):
            raise InputError(
                "`Removal` needs a model with predictors, trained with `SoftRemoval`. "
                f"Received: reduction={type(model.reduction).__name__}"
            )

    def entering_of(self, length, kept):
        return tuple(kept)

    def overhead(self, config, length, kept):
        rows = (length, *kept[:-1])
        return sum(2 * HIDDEN_DIM * (config.hidden_dim + 1) * count for count in rows)

    def select_before(self, layers, index, vectors):
        contributed, delta = self._contributions(layers, index, vectors)
        stays = layers(Contributing, f"encoder_{index}_contributing")(
            contributed, delta, vectors.padding_mask
        )
        seen = {f"encoder_{index}_contributions": contributed}
        return Selection.from_mask(stays, vectors.rows, seen)

    def reads_attention(self, index, vectors):
        return False

    def get_config(self):
        return {"activation": self.activation}
