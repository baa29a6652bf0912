"""PoWER-BERT's two answers: word-vectors that fade in the search, and those that stay after it."""

import keras

from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.relative_budget import RelativeBudget
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.methods.power_bert.significance_score import SignificanceScore
from power_bert_tf.methods.power_bert.soft_extract import BASES
from power_bert_tf.methods.power_bert.soft_extract import SoftExtract
from power_bert_tf.methods.power_bert.static_score import StaticScore
from power_bert_tf.modeling.reduction import Reduction
from power_bert_tf.modeling.reduction import Selection

SELECTIONS = ("attention", "head", "random")
COMPATIBLE = ("ibm",)


@keras.saving.register_keras_serializable(package="power_bert_tf")
class SoftExtraction(Reduction):
    """Soft-extract after every self-attention: the model of the configuration search.

    Args:
        strength: float. The paper's lambda: the weight of the aggregate mass in the loss.
        basis: "absolute" or "relative", see `SoftExtract`.
        count_self: bool. Count the attention of a word to itself in its score.
        length: int. The number of retention parameters of each encoder; N where None.
        compat: "ibm" for the score and the rounding of the authors' code, or None.

    Raises:
        InputError: where an argument is out of range.

    Reference: PoWER-BERT, section 3.3.
    """

    leaves_cls = False  # It is scaled by a parameter of its own.
    fades = True
    has_weights = True

    def __init__(
        self,
        strength,
        basis="absolute",
        count_self=False,
        length=None,
        compat=None,
    ):
        if not strength >= 0:
            raise InputError(f"`strength` must be at least 0. Received: strength={strength}")
        if basis not in BASES:
            raise InputError(f"`basis` must be one of {BASES}. Received: basis={basis!r}")
        self.strength = strength
        self.basis = basis
        self.count_self = count_self
        self.length = length
        self.compat = compat
        _check_compat(compat, basis, count_self)

    @property
    def sees_padding(self):
        return self.compat == "ibm"

    def with_length(self, sequence_length):
        return type(self)(**{**self.get_config(), "length": self.length or sequence_length})

    def check(self, num_layers, sequence_length):
        if sequence_length is None and self.length is None:
            raise InputError(
                "`sequence_length` must be a number for a new model with `SoftExtraction`, which "
                "has a retention parameter for each position. Received: None"
            )

    def fade(self, layers, index, vectors, probabilities):
        score = layers(
            SignificanceScore,
            f"encoder_{index}_significance",
            count_self=self.count_self,
            count_padding=self.sees_padding,
        )(probabilities, vectors.padding_mask)
        soft_extract = layers(
            SoftExtract,
            self.layer_name(index),
            length=self.length,
            penalty=self.strength * (index + 1),
            basis=self.basis,
        )
        hidden = soft_extract(vectors.hidden, score, vectors.padding_mask)
        return vectors.replace(hidden=hidden).remember(**{f"encoder_{index}_score": score})

    @staticmethod
    def layer_name(index):
        """The name of the soft-extract layer of an encoder."""
        return f"encoder_{index}_soft_extract"

    def masses(self, model):
        """The mass of each encoder of `model`, a list of floats."""
        return [layer.mass() for layer in self._layers(model)]

    def retention_parameters(self, model):
        """The retention parameters of each encoder of `model`, a list of (N,) arrays."""
        return [keras.ops.convert_to_numpy(layer.retention) for layer in self._layers(model)]

    def _layers(self, model):
        return [model.get_layer(self.layer_name(index)) for index in range(model.config.num_layers)]

    def learnt_retention(self, model):
        """The `RetentionConfiguration` that `model` has learnt."""
        length = model.get_layer(self.layer_name(0)).length
        rounding = "down" if self.compat == "ibm" else "up"
        return RetentionConfiguration.from_masses(self.masses(model), length, self.basis, rounding)

    def get_config(self):
        return {
            "strength": self.strength,
            "basis": self.basis,
            "count_self": self.count_self,
            "length": self.length,
            "compat": self.compat,
        }


@keras.saving.register_keras_serializable(package="power_bert_tf")
class Extraction(Reduction):
    """Extract after every self-attention: PoWER-BERT as it is deployed.

    Args:
        retention: `RetentionConfiguration`, or what its `parse` reads.
        selection: which word-vectors to keep: "attention" (Attn-WS: by significance), "head"
            (Head-WS: the first) or "random" (Rand-WS: at positions drawn once).
        seed: int. Draws the positions of "random".
        count_self: bool. Count the attention of a word to itself in its score.
        compat: "ibm" for the score of the authors' code, or None. Attention from padding counts
            in it, so an answer depends on how far a text is padded.

    Raises:
        InputError: where an argument is out of range.

    Reference: PoWER-BERT, section 3.2.
    """

    drops = True

    def __init__(self, retention, selection="attention", seed=0, count_self=False, compat=None):
        if selection not in SELECTIONS:
            raise InputError(
                f"`selection` must be one of {SELECTIONS}. Received: selection={selection!r}"
            )
        self.retention = RetentionConfiguration.parse(retention)
        self.selection = selection
        self.seed = seed
        self.count_self = count_self
        self.compat = compat
        _check_compat(compat, self.retention.basis, count_self)

    @property
    def sees_padding(self):
        return self.compat == "ibm"

    def check(self, num_layers, sequence_length):
        self.retention.check(num_layers, sequence_length)

    def kept(self, num_layers, length):
        return self.retention.at_length(length)

    def reads_attention(self, index, vectors):
        rows = vectors.rows
        before = self.retention.lengths[index - 1] if index > 0 else None
        if self.retention.basis == "absolute":
            # Of an input of any length, what comes in is known from the encoder before.
            before = before if rows is None else rows
        elif before is None:
            before = self.retention.reference_length
        # In the relative basis the same share of the same text as before is what there is.
        return before is None or self.retention.lengths[index] < before

    def select(self, layers, index, vectors, probabilities):
        most = self.retention.at_length(vectors.input_mask.shape[1])[index]
        score = self._score(layers, index, vectors, probabilities)
        if self.retention.basis == "absolute":
            return Selection(score, most)
        budget = layers(
            RelativeBudget,
            f"encoder_{index}_budget",
            length=self.retention.lengths[index],
            reference_length=self.retention.reference_length,
        )(vectors.input_mask)
        return Selection(score, most, budget)

    def _score(self, layers, index, vectors, probabilities):
        if self.selection == "attention":
            return layers(
                SignificanceScore,
                f"encoder_{index}_significance",
                count_self=self.count_self,
                count_padding=self.sees_padding,
            )(probabilities, vectors.padding_mask)
        return layers(
            StaticScore,
            f"encoder_{index}_static_score",
            strategy=self.selection,
            # A draw of its own for each encoder, since the positions count what is still there.
            seed=self.seed + index,
        )(vectors.padding_mask)

    def get_config(self):
        return {
            "retention": str(self.retention),
            "selection": self.selection,
            "seed": self.seed,
            "count_self": self.count_self,
            "compat": self.compat,
        }


def _check_compat(compat, basis, count_self):
    if compat is None:
        return
    if compat not in COMPATIBLE:
        raise InputError(
            f"`compat` must be None or one of {COMPATIBLE}. Received: compat={compat!r}"
        )
    if basis != "absolute" or count_self:
        raise InputError(
            "`compat` goes with the absolute basis and without `count_self`. "
            f"Received: compat={compat!r}, basis={basis!r}, count_self={count_self}"
        )
