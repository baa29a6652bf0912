"""What encoders do to their word-vectors: the seam between backbones and methods.

A backbone knows no method: it asks one `Reduction` at three places of each encoder. A method
knows no backbone: it sees word-vectors, attention probabilities and masks. A new method is a
new subclass, a new backbone a new graph, and each works with each.
"""

import keras

from power_bert_tf.errors import InputError
from power_bert_tf.layers import Extract
from power_bert_tf.methods.power_bert.relative_budget import RelativeBudget
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration
from power_bert_tf.methods.power_bert.retention import most_stay
from power_bert_tf.methods.power_bert.significance_score import SignificanceScore
from power_bert_tf.methods.power_bert.soft_extract import BASES
from power_bert_tf.methods.power_bert.soft_extract import SoftExtract
from power_bert_tf.methods.power_bert.static_score import StaticScore

SELECTIONS = ("attention", "head", "random")
COMPATIBLE = ("ibm",)


class Reduction:
    """Three hooks that leave everything as it is. Subclasses override what they need.

    `leaves_cls` says that the hooks hand CLS on as it is, whatever they do to others, so that an
    encoder of which only CLS is read needs none of them. `sees_padding` says that answers depend
    on how far a text is padded, so that it must be padded to N.

    Each hook gets `shared` (`SharedLayers`, which makes the layers), the encoder's `index` from
    0, and symbolic tensors: `hidden` (batch, rows, hidden_dim), `probabilities` (batch, heads,
    queries, keys), `padding_mask` (batch, rows) and `input_mask` (batch, N), the mask as it was
    before any encoder.
    """

    leaves_cls = True
    sees_padding = False

    def check(self, num_layers, sequence_length):
        """Raises InputError unless it fits a model of these sizes."""

    def acts_at(self, index, rows):
        """Whether an encoder that gets `rows` word-vectors needs the hooks after attention."""
        return True

    def keeps_most_at(self, index, rows, input_mask):
        """Whether `before_output` keeps more than half of the `rows` that an encoder gets.

        Then it is less work, in a graph for inference, to average the values for each query than
        to copy the probabilities of those that stay; `after_output` gets none.
        """
        return False

    def at_home(self, sequence_length):
        """This reduction with what it keeps of the length that a model is first built for."""
        return self

    def before_encoder(self, shared, index, hidden, padding_mask, input_mask):
        """May drop word-vectors before the encoder; returns hidden and padding_mask."""
        return hidden, padding_mask

    def before_output(
        self, shared, index, hidden, probabilities, by_query, padding_mask, input_mask
    ):
        """May drop queries once attention is known, before its output is computed.

        `by_query` (batch, heads, queries, any) is what the output is computed from: the
        probabilities or, see `keeps_most_at`, the values that they have averaged.

        Returns hidden, by_query and padding_mask.
        """
        return hidden, by_query, padding_mask

    def after_output(self, shared, index, hidden, probabilities, padding_mask, input_mask):
        """May change the word-vectors that go into the feed-forward block, or their mask.

        Returns hidden and padding_mask.
        """
        return hidden, padding_mask

    def learnt_retention(self, model):
        """The retention configuration that `model` has learnt; an error but for a search."""
        raise InputError(
            "`model` must have been built with `SoftExtraction` to have learnt a retention "
            f"configuration. Received: reduction={type(self).__name__}"
        )

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="power_bert_tf")
class NoReduction(Reduction):
    """Plain BERT."""

    def acts_at(self, index, rows):
        return False


@keras.saving.register_keras_serializable(package="power_bert_tf")
class SoftExtraction(Reduction):
    """Soft-extract after every self-attention: the model of the configuration search.

    Args:
        strength: float. The paper's lambda: the weight of the aggregate mass in the loss.
        basis: "absolute" or "relative", see `SoftExtract`.
        count_self: bool. Count the attention of a word to itself in its score.
        length: int. The number of retention parameters of each encoder; N where None.
        compat: "ibm" for the score and the rounding of the authors' code, or None.

    Reference: PoWER-BERT, section 3.3.
    """

    leaves_cls = False  # It is scaled by a parameter of its own.

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

    def at_home(self, sequence_length):
        return type(self)(**{**self.get_config(), "length": self.length or sequence_length})

    def check(self, num_layers, sequence_length):
        if sequence_length is None and self.length is None:
            raise InputError(
                "`sequence_length` must be a number for a new model with `SoftExtraction`, which "
                "has a retention parameter for each position. Received: None"
            )

    def after_output(self, shared, index, hidden, probabilities, padding_mask, input_mask):
        score = shared(
            SignificanceScore,
            f"encoder_{index}_significance",
            count_self=self.count_self,
            count_padding=self.sees_padding,
        )(probabilities, padding_mask)
        soft_extract = shared(
            SoftExtract,
            self.layer_name(index),
            length=self.length,
            penalty=self.strength * (index + 1),
            basis=self.basis,
        )
        return soft_extract(hidden, score, padding_mask), padding_mask

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

    Reference: PoWER-BERT, section 3.2.
    """

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

    def acts_at(self, index, rows):
        before = self.retention.lengths[index - 1] if index > 0 else None
        if self.retention.basis == "absolute":
            # Of an input of any length, what comes in is known from the encoder before.
            before = before if rows is None else rows
        elif before is None:
            before = self.retention.reference_length
        # In the relative basis the same share of the same text as before is what there is.
        return before is None or self.retention.lengths[index] < before

    def keeps_most_at(self, index, rows, input_mask):
        kept = self.retention.at_length(input_mask.shape[1])[index]
        return None not in (kept, rows) and most_stay(rows, kept)

    def before_output(
        self, shared, index, hidden, probabilities, by_query, padding_mask, input_mask
    ):
        extract = shared(
            Extract,
            f"encoder_{index}_extract",
            length=self.retention.at_length(input_mask.shape[1])[index],
        )
        score = self._score(shared, index, probabilities, padding_mask)
        if self.retention.basis == "absolute":
            return extract(hidden, by_query, score, padding_mask)
        budget = shared(
            RelativeBudget,
            f"encoder_{index}_budget",
            length=self.retention.lengths[index],
            reference_length=self.retention.reference_length,
        )(input_mask)
        return extract(hidden, by_query, score, padding_mask, budget)

    def _score(self, shared, index, probabilities, padding_mask):
        if self.selection == "attention":
            return shared(
                SignificanceScore,
                f"encoder_{index}_significance",
                count_self=self.count_self,
                count_padding=self.sees_padding,
            )(probabilities, padding_mask)
        return shared(
            StaticScore,
            f"encoder_{index}_static_score",
            strategy=self.selection,
            # A draw of its own for each encoder, since the positions count what is still there.
            seed=self.seed + index,
        )(padding_mask)

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
