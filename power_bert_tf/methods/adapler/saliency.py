"""What each word-piece contributes to the right answer, by gradients."""

import hashlib

import numpy as np

from power_bert_tf.errors import InputError
from power_bert_tf.files import write_file
from power_bert_tf.modeling.reduction import Reduction

_BATCH_SIZE, _CHUNK = 32, 1024
# Word-vectors in a batch: what the encoders computed is kept until the gradients are known.
_MOST_WORDS = 8192


class _RememberedEmbeddings(Reduction):
    """Plain BERT that hands out its embeddings too."""

    def reads_attention(self, index, vectors):
        return False

    def before_encoder(self, layers, index, vectors):
        return vectors.remember(embeddings=vectors.hidden) if index == 0 else vectors


class SaliencyModel:
    """The saliency of word-pieces under a fine-tuned BERT, on TensorFlow.

    The gradient of the right answer's logit by the word-pieces' embeddings, times these, as the
    L2 norm over the hidden dimension (equation 2). Of regression the output stands for the logit,
    and of multiple choice each option's own score. Without dropout.

    Args:
        model: `BertClassifier`, fine-tuned.

    Call arguments:
        inputs: dict of int tensors (batch, rows).
        labels: int tensor (batch,), the classes; not looked at where there is one output.

    Returns:
        float32 array (batch, rows), 0 for padding.

    Reference: AdapLeR (Modarressi et al., 2022), section 2.2.
    """

    def __init__(self, model):
        import keras
        import tensorflow as tf

        # Of any length, and for [CLS] alone at the end.
        whole = model.with_reduction(_RememberedEmbeddings()).for_training(None)
        logits = whole.logits_model.output
        embeddings = whole.remembered["embeddings"]
        graph = keras.Model(whole.input, {"logits": logits, "embeddings": embeddings})
        shapes = {name: tf.TensorSpec((None, None), tf.int32) for name in graph.input}

        @tf.function(input_signature=(shapes, tf.TensorSpec((None,), tf.int32)), jit_compile=False)
        def saliency(inputs, labels):
            with tf.GradientTape() as tape:
                seen = graph(inputs, training=False)
                logits = tf.cast(seen["logits"], tf.float32)
                one = logits.shape[1] == 1
                right = logits[:, 0] if one else tf.gather(logits, labels, axis=1, batch_dims=1)
                total = tf.reduce_sum(right)
            gradient = tf.cast(tape.gradient(total, seen["embeddings"]), tf.float32)
            product = gradient * tf.cast(seen["embeddings"], tf.float32)
            norms = tf.sqrt(tf.reduce_sum(tf.square(product), axis=-1))
            return norms * tf.cast(inputs["padding_mask"], tf.float32)

        self._names, self._saliency = list(graph.input), saliency

    def __call__(self, inputs, labels):
        own = {name: inputs[name] for name in self._names}
        return self._saliency(own, labels).numpy()


def saliency_of(model, examples, preprocessor, backup=None):
    """The saliency of examples under one model.

    Args:
        model: `BertClassifier`, fine-tuned.
        examples: `Examples`.
        preprocessor: `Preprocessor`, of the model's sequence length.
        backup: path of a folder for what is done, 1,024 examples a file; it goes on from there.

    Returns:
        list of float32 arrays, for each text one number a word-piece.
    """
    from power_bert_tf.data import evaluation_dataset

    asked, found = None, []
    most = max(1, _MOST_WORDS // (preprocessor.sequence_length * examples.choices))
    batch_size = min(_BATCH_SIZE, most)
    order = np.argsort(examples.characters(), kind="stable")
    for begin in range(0, len(examples), _CHUNK):
        path = None if backup is None else backup / f"{begin:08}.npz"
        if path is not None and path.exists():
            with np.load(path, allow_pickle=False) as arrays:
                found += _texts(arrays)
            continue
        asked = asked or SaliencyModel(model)
        part = examples.select(order[begin : begin + _CHUNK])
        texts = []
        for inputs, labels in evaluation_dataset(part, preprocessor, batch_size, True):
            rows = len(inputs["token_ids"])
            by_row = np.zeros(rows, "int32") if model.num_classes == 1 else labels
            scores = asked(inputs, by_row)
            lengths = inputs["padding_mask"].numpy().sum(axis=1)
            texts += [row[:length] for row, length in zip(scores, lengths, strict=True)]
        if path is not None:
            _write(path, texts, "float32")
        found += texts
    # From the sorted order back to that of the examples, whose texts stand together.
    in_order = [None] * len(found)
    for rank, example in enumerate(order):
        for choice in range(examples.choices):
            place = example * examples.choices + choice
            in_order[place] = found[rank * examples.choices + choice]
    return in_order


def averaged(saliencies):
    """The mean of several saliencies of the same texts, 1 in all for each text.

    Args:
        saliencies: list of lists of arrays, see `saliency_of`.
    """
    means = (np.mean(each, axis=0) for each in zip(*saliencies, strict=True))
    return [mean / max(float(mean.sum()), 1e-30) for mean in means]


def without_separators(saliency, token_ids, separator):
    """Saliency in which [SEP] has none."""
    return [
        np.where(np.asarray(ids) == separator, 0.0, each)
        for each, ids in zip(saliency, token_ids, strict=True)
    ]


def fingerprint(examples, preprocessor):
    """What saliencies belong to: examples, vocabulary, N."""
    vocabulary = hashlib.sha256(preprocessor.tokenizer.to_bytes()).hexdigest()
    return f"{examples.fingerprint()} {vocabulary} {preprocessor.sequence_length}"


def write_saliency(path, saliency, owner):
    """Writes saliencies as one .npz file: float16, ragged.

    Args:
        path: path of the file.
        saliency: list of arrays.
        owner: str, see `fingerprint`.
    """
    _write(path, saliency, "float16", owner=np.array(owner))


def read_saliency(path, owner):
    """Reads what `write_saliency` has written, a list of float32 arrays.

    Raises:
        InputError: where it is of other examples, another tokenizer or another N.
    """
    with np.load(path, allow_pickle=False) as arrays:
        if str(arrays["owner"]) != owner:
            raise InputError(
                f"{path} must hold the saliency of these training examples, with this tokenizer "
                "and N. Received: that of others"
            )
        return _texts(arrays)


def _write(path, texts, dtype, **others):
    flat = np.concatenate(texts).astype(dtype)
    lengths = np.array([len(text) for text in texts], "int32")

    def save(aside):
        with open(aside, "wb") as file:  # Given a path, NumPy would add an ending of its own.
            np.savez(file, values=flat, lengths=lengths, **others)

    write_file(path, save)


def _texts(arrays):
    return np.split(arrays["values"].astype("float32"), np.cumsum(arrays["lengths"])[:-1])
