"""BERT, or another backbone, with a head for classification, regression or multiple choice."""

import dataclasses

import keras

from power_bert_tf.errors import InputError
from power_bert_tf.modeling.checkpoints import huggingface
from power_bert_tf.modeling.checkpoints import keras_hub
from power_bert_tf.modeling.checkpoints.opening import open_checkpoint
from power_bert_tf.modeling.config import EncoderConfig
from power_bert_tf.modeling.graph import classifier_graph
from power_bert_tf.modeling.heads import HEADS
from power_bert_tf.modeling.reduction import NoReduction
from power_bert_tf.modeling.reduction import deserialize_reduction
from power_bert_tf.modeling.shared_layers import SharedLayers
from power_bert_tf.modeling.text_model import TextModel

# N where nothing is said of it.
_LENGTH = 128


@keras.saving.register_keras_serializable(package="power_bert_tf")
class BertClassifier(TextModel):
    """A BERT that classifies texts, or gives them a number or a score, as a functional Keras model.

    The same class is plain BERT and each model of a method: what happens to the word-vectors is up
    to its `reduction`.

    Args:
        config: `EncoderConfig`.
        num_classes: int. Number of classes; 1 for regression and multiple choice.
        sequence_length: int. N, the static length of the inputs; None for any length up to the
            number of position embeddings.
        reduction: `Reduction`, what a method does to the word-vectors; `NoReduction()` where None.
        head: "classification" (probabilities of the classes), "regression" (one number) or
            "multiple_choice" (one score: each option of a question is a row, scored by itself).
        label_names: sequence of str, the names of the classes or of a question's options, kept
            with the model. May be empty.
        dtype: dtype policy of the encoders, such as "mixed_bfloat16"; the head's output is
            float32 in any case.
        name: str.
        shared: `SharedLayers` of another model, over whose variables this graph is to stand.
        cls_alone: bool. Compute [CLS] alone in the last encoder, see `for_training`.

    Inputs: a dict of int32 tensors of shape (batch, N): `token_ids`, `segment_ids` (0 for the
    first text, 1 for the second) and `padding_mask` (1 for words, 0 for padding). A backbone
    without segments has no `segment_ids`; they may be given all the same, and are not looked at.

    Outputs: float32, (batch, num_classes) probabilities, or (batch, 1) for the other heads.
    `logits_model` gives what stands before the softmax.

    Raises:
        InputError: where an argument is out of range, or the reduction does not fit.

    Example:

    ```python
    config = EncoderConfig(num_layers=2, num_heads=2, hidden_dim=16, intermediate_dim=32)
    bert = BertClassifier(config, num_classes=2, sequence_length=32)
    faster = bert.with_reduction(reduction)
    ```
    """

    def __init__(
        self,
        config,
        num_classes=2,
        sequence_length=128,
        reduction=None,
        head="classification",
        label_names=(),
        dtype=None,
        name=None,
        shared=None,
        cls_alone=False,
    ):
        reduction = NoReduction() if reduction is None else reduction
        self._check(config, num_classes, sequence_length, head, label_names)
        if shared is None:
            reduction.check(config.num_layers, sequence_length)
            reduction = reduction.with_length(sequence_length)
        # By name, so that a model comes back as it was under another global policy too.
        dtype = keras.config.dtype_policy().name if dtype is None else dtype

        shared = SharedLayers(dtype=dtype) if shared is None else shared
        graph = classifier_graph(
            config, num_classes, sequence_length, reduction, head, shared, cls_alone=cls_alone
        )
        super().__init__(inputs=graph.inputs, outputs=graph.outputs, name=name)
        # With this `compile` knows that float16 needs its loss scaled.
        self.dtype_policy = dtype

        # === Config ===
        self.config = config
        self.num_classes = num_classes
        self.sequence_length = sequence_length
        self.reduction = reduction
        self.head = head
        self.label_names = tuple(label_names)
        self._policy = dtype
        self._logits = graph.logits
        self._remembered = graph.remembered

    @staticmethod
    def _check(config, num_classes, sequence_length, head, label_names):
        if head not in HEADS:
            raise InputError(f"`head` must be one of {HEADS}. Received: head={head!r}")
        least = 2 if head == "classification" else 1
        if num_classes < least or (head != "classification" and num_classes != 1):
            raise InputError(
                "`num_classes` must be at least 2 for classification and 1 otherwise. "
                f"Received: num_classes={num_classes}, head={head!r}"
            )
        if label_names and head != "multiple_choice" and len(label_names) != num_classes:
            raise InputError(
                f"`label_names` must name each of the {num_classes} classes. "
                f"Received: label_names={list(label_names)}"
            )
        if sequence_length is not None and not 1 <= sequence_length <= config.max_sequence_length:
            raise InputError(
                "`sequence_length` must be between 1 and the number of position embeddings, "
                f"{config.max_sequence_length}. Received: sequence_length={sequence_length}"
            )

    @classmethod
    def from_checkpoint(
        cls,
        checkpoint,
        num_classes=None,
        sequence_length=None,
        head=None,
        label_names=None,
        new_head=False,
        **arguments,
    ):
        """A classifier over the weights of a checkpoint.

        A head that the checkpoint was fine-tuned with comes along, with the names of its classes.
        Where names are given in another order, its rows are put into that order.

        Args:
            checkpoint: what `open_checkpoint` takes, such as a folder in Google's or Hugging
                Face's layout or "hf://owner/name".
            num_classes: int; that of the checkpoint's head where None, or 2 without one.
            sequence_length: int, N; the one that the checkpoint was trained with where None, or
                128 where it does not say.
            head: "classification" or "regression"; as the checkpoint's where None.
            label_names: sequence of str; the checkpoint's where None.
            new_head: bool. Leave the checkpoint's head, and begin with a new one.
            **arguments: further arguments of the class.

        Raises:
            InputError: where a file is missing or cut short; a tensor unknown, missing or of
                another shape, which is named; or the head is for other classes.
        """
        checkpoint = open_checkpoint(checkpoint)
        stored = None if new_head else checkpoint.head
        if num_classes is None:
            num_classes = 1 if head == "regression" else 2 if stored is None else stored.num_classes
        if head is None:
            same = stored is not None and stored.num_classes == num_classes and stored.is_known
            head = stored.kind if same else "classification"
        rows = None
        if stored is not None:
            try:
                rows = stored.rows(head, num_classes, label_names or ())
            except InputError as error:
                raise InputError(
                    f"{error} (hint: new_head=True begins with a new one, "
                    f"num_classes={stored.num_classes} takes as many as the checkpoint has)"
                ) from error
            label_names = label_names or stored.label_names
        model = cls(
            checkpoint.config,
            num_classes,
            sequence_length or checkpoint.sequence_length or _LENGTH,
            head=head,
            label_names=label_names or (),
            **arguments,
        )
        huggingface.fill(model, checkpoint, rows)
        return model

    @classmethod
    def from_keras_hub(cls, model, *arguments, **named):
        """A classifier over the weights of a KerasHub model in memory.

        Args:
            model: `BertBackbone`, or `BertTextClassifier`, whose head comes along.
            *arguments, **named: further arguments of `from_checkpoint`.
        """
        return cls.from_checkpoint(keras_hub.from_model(model), *arguments, **named)

    def with_reduction(self, reduction):
        """A new model with another reduction, over a copy of the same weights.

        Layers are matched by name; a layer that only the new model has keeps its initial
        weights (retention parameters start at one).

        Raises:
            InputError: where the reduction does not fit, or goes by what this model has not learnt.
        """
        reduction.check_source(self)
        model = type(self)(**{**self._arguments(), "reduction": reduction})
        model.take_weights(self)
        return model

    def with_dtype(self, dtype):
        """A new model that computes in another dtype, over a copy of the same weights.

        Args:
            dtype: dtype policy, such as "bfloat16", in which the weights are kept too.
        """
        model = type(self)(**{**self._arguments(), "dtype": dtype})
        model.take_weights(self)
        return model

    def take_weights(self, model):
        """Copies the weights of another model, layer by layer where the names are the same."""
        others = {layer.name: layer for layer in model.layers if layer.weights}
        for layer in self.layers:
            if layer.name in others:
                for own, other in zip(layer.weights, others[layer.name].weights, strict=True):
                    # Not the array itself: JAX gives the memory of trained variables away.
                    own.assign(keras.ops.copy(other))

    def at_length(self, sequence_length):
        """The graph for inputs of another length, over the *same* variables.

        Args:
            sequence_length: int, or None for any length; answers do not depend on it.
        """
        return self._over_same_variables(sequence_length)

    def for_training(self, sequence_length=None):
        """The graph that learns the same with the least work, over the *same* variables.

        In the last encoder it computes [CLS] alone, where nothing else is used: outputs and
        gradients are those of the model, and each dropout falls on as large a part.

        Args:
            sequence_length: int, or None for any length.

        Returns:
            `BertClassifier`.
        """
        return self._over_same_variables(sequence_length, cls_alone=True)

    def for_scoring(self, sequence_length=None):
        """The model whose answers count while this one trains, over the *same* variables.

        It has the reduction that is deployed. Else it is as `for_training`.

        Args:
            sequence_length: int, or None for any length.

        Returns:
            `BertClassifier`.
        """
        return self._over_same_variables(
            sequence_length, reduction=self.reduction.deployed, cls_alone=True
        )

    def for_inference(self, sequence_length=None, packed=False):
        """The graph that answers with the least work, over the *same* variables.

        Where only [CLS] is used, the last encoder computes it alone. Encoders whose attention is
        not scored use fused attention where that is faster. The answers are those of the model.

        Args:
            sequence_length: int, N where None.
            packed: bool. Compute with packed rows (see `Packing`), which knows no padding but in
                attention: one graph for every length and batch size, and no `sequence_length`.

        Returns:
            A functional `keras.Model` with the inputs and outputs of this one.

        Raises:
            InputError: where rows cannot be packed, see `packs`.
        """
        if packed and not self.packs:
            raise InputError(
                "`packed` goes with Keras on TensorFlow, and with a reduction for inference that "
                "does not see padding. "
                f"Received: packed=True, KERAS_BACKEND={keras.config.backend()}, "
                f"reduction={type(self.reduction).__name__}"
            )
        length = self.sequence_length if sequence_length is None else sequence_length
        graph = self._graph(None if packed else length, lean=True, packed=packed)
        return TextModel(graph.inputs, graph.outputs, name=self.name)

    @property
    def packs(self):
        """Whether `for_inference` can compute with packed rows."""
        reduction = self.reduction
        dynamic = keras.config.backend() == "tensorflow"
        return dynamic and not (reduction.fades or reduction.sees_padding)

    def traced(self):
        """The graph that says which word-vectors each encoder leaves, over the *same* variables.

        Returns:
            A functional `keras.Model` with the inputs of this one. Its outputs are a dict of
            "outputs", what this one gives, and for each encoder "encoder_0_positions", int
            (batch, rows): where the rows that are left stood in the text, from 1; 0 for padding.
        """
        graph = self._graph(self.sequence_length, traced=True)
        return TextModel(graph.inputs, {"outputs": graph.outputs, **graph.remembered})

    def _over_same_variables(self, sequence_length, **options):
        shared = SharedLayers(self.layers, dtype=self._policy)
        arguments = {**self._arguments(), "sequence_length": sequence_length, "shared": shared}
        return type(self)(**{**arguments, **options})

    def train_step(self, *arguments):
        own = self.reduction.train_step
        return super().train_step(*arguments) if own is None else own(self, *arguments)

    def _graph(self, sequence_length, **options):
        return classifier_graph(
            self.config,
            self.num_classes,
            sequence_length,
            self.reduction,
            self.head,
            SharedLayers(self.layers, dtype=self._policy),
            **options,
        )

    @property
    def remembered(self):
        """What the reduction remembers on the way, a dict of name to symbolic tensor.

        `keras.Model(model.input, model.remembered)` gives them.
        """
        return dict(self._remembered)

    @property
    def logits_model(self):
        """A model over the same variables that gives logits of shape (batch, num_classes)."""
        return TextModel(self.input, self._logits)

    def _arguments(self):
        return {
            "config": self.config,
            "num_classes": self.num_classes,
            "sequence_length": self.sequence_length,
            "reduction": self.reduction,
            "head": self.head,
            "label_names": self.label_names,
            "dtype": self._policy,
        }

    def get_config(self):
        return {
            **self._arguments(),
            "config": dataclasses.asdict(self.config),
            "reduction": keras.saving.serialize_keras_object(self.reduction),
            "label_names": list(self.label_names),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(
            **{
                **config,
                "config": EncoderConfig(**config["config"]),
                "reduction": deserialize_reduction(config["reduction"]),
            }
        )
