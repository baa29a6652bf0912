"""What encoders do to their word-vectors: the seam between backbones and methods.

A backbone knows no method: for each encoder it asks one `Reduction`. A method knows no backbone: it
sees word-vectors, attention probabilities and masks. A new method is a new subclass, a new backbone
a new graph, and each works with each.

A method is asked two things. In training: how do word-vectors fade? At inference: which of them
stay? It answers the second with a `Selection`, and the graph drops the others.
"""

import dataclasses
import typing

import keras

from power_bert_tf.errors import InputError
from power_bert_tf.layers import MaskBudget


@dataclasses.dataclass(frozen=True)
class WordVectors:
    """What an encoder gets and hands on: symbolic tensors of a batch.

    Args:
        hidden: (batch, rows, hidden_dim), the word-vectors that are still there; CLS in row 0.
            Of packed rows (total, hidden_dim): those of all texts, without padding.
        padding_mask: int (batch, rows), 1 for words and 0 for padding.
        input_mask: int (batch, N), the mask as it was before any encoder.
        attention_bias: float (batch, rows) or None. Added to the score that every query gives to
            a row, before the softmax: a method fades a word-vector by a negative one. The mask
            itself stays 0 or 1.
        positions: int (batch, rows) or None. Where in the text each row stood, from 1; only in a
            graph that is traced.
        flat, places: int (total,) and (batch, rows), or None: where packed rows stand by text,
            and the rows of a text among the packed ones; see `Packing`. The masks and the bias
            are by text in either form.
        remembered: dict of name to tensor, what a method wants to be seen from outside, such as
            scores or lengths. They are further outputs: see `BertClassifier.remembered`.
    """

    hidden: typing.Any
    padding_mask: typing.Any
    input_mask: typing.Any
    attention_bias: typing.Any = None
    positions: typing.Any = None
    flat: typing.Any = None
    places: typing.Any = None
    remembered: dict = dataclasses.field(default_factory=dict)

    @property
    def rows(self):
        """The number of rows, an int; None where it is not known before a text comes."""
        return self.padding_mask.shape[1]

    @property
    def packed(self):
        """Whether the word-vectors are packed rows."""
        return self.places is not None

    def replace(self, **changes):
        """The same with other tensors."""
        return dataclasses.replace(self, **changes)

    def remember(self, **tensors):
        """The same with more remembered."""
        return self.replace(remembered={**self.remembered, **tensors})


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which word-vectors stay: of each text those of highest priority, as many as its budget.

    CLS stays always and padding never, whatever their priority. How the others are dropped is up
    to the graph.

    Args:
        priority: float (batch, rows), such as a score. Ties go to the earlier row.
        most: int, the most that stay of any text; None where that is not known before.
        budget: int (batch,), how many stay of each text; None for `most` of each.
        remembered: dict of name to tensor, see `WordVectors`.
    """

    priority: typing.Any
    most: int | None = None
    budget: typing.Any = None
    remembered: dict = dataclasses.field(default_factory=dict)

    @classmethod
    def from_mask(cls, stays, most=None, remembered=None):
        """Those that a mask names.

        Args:
            stays: int (batch, rows), 1 for a word-vector that stays.
            most: int, the most that stay of any text; None where that is not known before.
            remembered: dict of name to tensor, see `WordVectors`.
        """
        return cls(stays, most, MaskBudget()(stays), remembered or {})

    def keeps_most_of(self, rows):
        """Whether more than half of the `rows` that an encoder gets are sure to be kept."""
        return None not in (self.most, rows) and most_stay(rows, self.most)


def most_stay(entering, staying):
    """Whether more than half of the word-vectors that enter an encoder stay after it."""
    return 2 * staying > entering


class Reduction:
    """Answers that leave everything as it is. Subclasses override what they need.

    `drops` says that word-vectors leave, so that the model answers faster than BERT. `leaves_cls`
    says that CLS is handed on as it is, whatever happens to others, so that an encoder of which
    only CLS is used needs no answer. `sees_padding` says that answers depend on how far a text is
    padded, so that it must be padded to N. `fades` says that word-vectors are scaled or hidden, and
    not dropped: such a model is for training, and its rows are not packed. `adaptive` says that how
    many stay depends on the text's words, and not on its length alone. `has_weights` says that its
    layers have weights of their own, for which other libraries' checkpoints have no place.

    Each hook gets `layers` (`SharedLayers`, which makes the layers), the encoder's `index` from 0,
    and `WordVectors`; `probabilities` is the encoder's attention, (batch, heads, queries, keys).
    """

    drops = False
    leaves_cls = True
    sees_padding = False
    fades = False
    adaptive = False
    has_weights = False
    # Whether attention is dropped out while it trains, as in BERT.
    attention_dropout = True
    # A training step of its own, a function of a model and a batch; Keras' where None.
    train_step = None

    @property
    def deployed(self):
        """The `Reduction` whose answers count while this one trains, over the same weights."""
        return self

    def check(self, num_layers, sequence_length):
        """Raises InputError unless it fits a model of these sizes; of any length where None."""

    def check_source(self, model):
        """Raises InputError where `model`, whose weights it is to go by, has not what it needs."""

    def with_length(self, sequence_length):
        """This reduction with what it keeps of the length that a model is first built for."""
        return self

    def kept(self, num_layers, length):
        """How many word-vectors of a text of `length` are left after each encoder, a tuple.

        Where `adaptive`, of a text that loses none.
        """
        return (length,) * num_layers

    def entering_of(self, length, kept):
        """How many of them enter each encoder's attention, a tuple: all that were left before.

        Args:
            length: int, of the text.
            kept: ints, how many are left after each encoder.
        """
        return (length, *kept[:-1])

    def overhead(self, config, length, kept):
        """Operations for one text that BERT does not do, and that are not left out as small.

        Args:
            config: `EncoderConfig`.
            length, kept: see `entering_of`.
        """
        return 0

    def before_encoder(self, layers, index, vectors):
        """May fade word-vectors before the encoder, or change the attention bias.

        Returns `WordVectors`.
        """
        return vectors

    def select_before(self, layers, index, vectors):
        """Which word-vectors enter the encoder: a `Selection`, or None for all of them."""
        return None

    def reads_attention(self, index, vectors):
        """Whether `select` and `fade` have to be asked in this encoder.

        Where not, its attention need not be kept as a whole.
        """
        return True

    def select(self, layers, index, vectors, probabilities):
        """Which word-vectors stay once attention is known: a `Selection`, or None for all.

        Nothing more is computed for the others, but their keys and values still serve this
        encoder.
        """
        return None

    def fade(self, layers, index, vectors, probabilities):
        """May change the word-vectors between attention and the feed-forward block.

        `probabilities` are those of all queries. Returns `WordVectors`.
        """
        return vectors

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="power_bert_tf")
class NoReduction(Reduction):
    """Plain BERT."""

    def reads_attention(self, index, vectors):
        return False


def deserialize_reduction(given):
    """The `Reduction` that `keras.saving.serialize_keras_object` has written.

    Builds classes that are registered as reductions, and nothing else.

    Raises:
        InputError: where it is none of them, or its configuration does not fit: says why.
    """
    try:
        name, config = given["registered_name"], given["config"]
        found = keras.saving.get_registered_object(name)
    except (TypeError, KeyError):
        name, found = given, None
    if not (isinstance(found, type) and issubclass(found, Reduction)):
        raise InputError(
            f"the reduction must be one of a method of this package. Received: {name!r:.100}"
        )
    try:
        return found.from_config(config)
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"the reduction {name} cannot be made: {error}. Received: {config!r:.200}"
        ) from error
