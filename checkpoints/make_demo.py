"""Makes checkpoints/demo: a small BERT of 12 narrow encoders that has read generated reviews.

    python checkpoints/make_demo.py

Masked language modelling (Devlin et al., BERT, NAACL 2019, section 3.1) on the unlabelled stream of
`power_bert_tf.data.demo`. So that [CLS] learns to gather what a text says, for which BERT has the
prediction of the next sentence, it is asked for the text's title, which is not shown.

Two things make so little text do. The word embeddings start as factors of a co-occurrence matrix
(Levy and Goldberg, NIPS 2014), so that what is good and what is bad lie apart at once. And twelve
encoders that normalise after adding do not learn from so little
text when they start at random; so three learn first and are copied on top of themselves to six,
then to twelve (progressive stacking: Gong et al., ICML 2019).
"""

import argparse
import dataclasses
import itertools
import json
import pathlib
import re
from collections import Counter

import keras
import numpy as np
from keras import ops
from safetensors.numpy import save_file

from power_bert_tf.data import Preprocessor
from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.data.demo import demo_titled_texts
from power_bert_tf.files import write_folder
from power_bert_tf.modeling import EncoderConfig
from power_bert_tf.modeling import NoReduction
from power_bert_tf.modeling.checkpoints.huggingface import encoder_table
from power_bert_tf.modeling.encoder import encode
from power_bert_tf.modeling.encoder import encoder_inputs
from power_bert_tf.modeling.shared_layers import SharedLayers
from power_bert_tf.training.optimizers import fine_tuning_optimizer

SEED = 2020
TEXTS = 100_000
# Two shapes to compile, and few positions of padding.
LENGTHS = (32, 64)
BATCH_SIZE = 64
MASKED_SHARE = 0.2
# The title weighs as much as two masked word-pieces.
TITLE_WEIGHT = 2.0
# BERT's initial 0.02 is for a width of 768; a narrow BERT needs larger kernels to say as much.
KERNEL_SCALE = 2.0
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclasses.dataclass(frozen=True)
class Stage:
    """Masked language modelling with so many encoders."""

    num_layers: int
    steps: int
    learning_rate: float


STAGES = (Stage(3, 2000, 2e-3), Stage(6, 600, 1e-3), Stage(12, 700, 7e-4))


def make(output, texts=TEXTS, stages=STAGES):
    """Trains stage after stage and writes the checkpoint whole.

    Args:
        output: path of the folder, in the Hugging Face layout.
        texts: int, how many generated texts to read.
        stages: sequence of `Stage`; the last one's encoders are the checkpoint's.
    """
    keras.utils.set_random_seed(SEED)
    titles, sentences = zip(*itertools.islice(demo_titled_texts(), texts), strict=True)
    vocabulary = _vocabulary((*titles, *sentences))
    tokenizer = WordPieceTokenizer(vocabulary)
    token_ids = Preprocessor(tokenizer, LENGTHS[-1]).ragged(sentences)[0]
    token_ids = token_ids.to_tensor(tokenizer.pad_id, shape=(None, LENGTHS[-1])).numpy()
    title_ids = np.array([vocabulary.index(title.lower()) for title in titles])
    model = None
    for stage in stages:
        print(f"{stage.num_layers} encoders: {stage.steps} steps of {BATCH_SIZE} texts")
        config = _config(len(vocabulary), stage.num_layers)
        larger = _masked_language_model(config)
        if model is None:
            _initialize(larger, token_ids, len(vocabulary))
        else:
            _grow(model, larger)
        model = larger
        model.compile(
            fine_tuning_optimizer(stage.learning_rate, stage.steps),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            weighted_metrics=["accuracy"],
            jit_compile=True,
        )
        batches = MaskedTexts(token_ids, title_ids, tokenizer, stage.steps)
        model.fit(batches, shuffle=False, verbose=0, callbacks=[PrintedProgress()])
    write_folder(output, lambda folder: _write(folder, model, config, vocabulary))
    size = sum(file.stat().st_size for file in pathlib.Path(output).iterdir())
    print(f"{output}: {size / 1e6:.1f} MB, {len(vocabulary)} word-pieces")


class MaskedTexts(keras.utils.PyDataset):
    """Batches of texts with some word-pieces masked, and what stood there; [CLS]: the title.

    A fifth of the word-pieces is asked for; of these, 80 % become [MASK], 10 % another word-piece
    and 10 % stay. Rare ones are asked for more often: they are those that carry a text's meaning.

    Args:
        token_ids: int array (texts, N), padded.
        title_ids: int array (texts,), the titles' word-pieces.
        tokenizer: `WordPieceTokenizer`.
        steps: int, the number of batches.
    """

    def __init__(self, token_ids, title_ids, tokenizer, steps):
        super().__init__()
        self.token_ids, self.title_ids, self.tokenizer = token_ids, title_ids, tokenizer
        self.counts = np.bincount(token_ids.ravel(), minlength=tokenizer.vocabulary_size)
        self.batches = list(itertools.islice(self._batches(), steps))

    def _batches(self):
        lengths = (self.token_ids != self.tokenizer.pad_id).sum(axis=1)
        buckets = np.searchsorted(LENGTHS, lengths)
        for epoch in itertools.count():
            rng = np.random.default_rng((SEED, epoch))
            batches = []
            for bucket, length in enumerate(LENGTHS):
                rows = rng.permutation(np.flatnonzero(buckets == bucket))
                whole = len(rows) // BATCH_SIZE * BATCH_SIZE
                batches += [(part, length) for part in rows[:whole].reshape(-1, BATCH_SIZE)]
            if epoch == 0:
                # Keras takes the shapes from the first two batches, so both lengths come first.
                yield from (next(b for b in batches if b[1] == length) for length in LENGTHS)
            yield from (batches[index] for index in rng.permutation(len(batches)))

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        rng = np.random.default_rng((SEED, index, 1))
        rows, length = self.batches[index]
        token_ids = self.token_ids[rows, :length].copy()
        words = token_ids >= len(SPECIALS)
        # The smallest of exponential variables with these rates are a weighted sample.
        rates = np.where(words, (self.counts[token_ids] + 1.0) ** -0.5, 1e-30)
        most = int(MASKED_SHARE * length)
        positions = np.argsort(rng.exponential(size=rates.shape) / rates, axis=1)[:, :most]
        asked = np.maximum(1, np.round(MASKED_SHARE * words.sum(axis=1)))
        weights = (np.arange(most) < asked[:, None]).astype("float32")
        answers = np.take_along_axis(token_ids, positions, axis=1)
        chance = rng.random(answers.shape)
        others = rng.integers(len(SPECIALS), len(self.counts), answers.shape)
        shown = np.where(chance < 0.8, SPECIALS.index("[MASK]"), others)
        shown = np.where((chance < 0.9) & (weights > 0), shown, answers)
        padding_mask = (token_ids != self.tokenizer.pad_id).astype("int32")
        np.put_along_axis(token_ids, positions, shown, axis=1)
        first = np.zeros((len(rows), 1), positions.dtype)
        positions = np.concatenate([first, positions], axis=1)
        answers = np.concatenate([self.title_ids[rows, None], answers], axis=1)
        title_weight = np.full_like(first, TITLE_WEIGHT, "float32")
        weights = np.concatenate([title_weight, weights], axis=1)
        inputs = {
            "token_ids": token_ids,
            "segment_ids": np.zeros_like(token_ids),
            "padding_mask": padding_mask,
            "positions": positions.astype("int32"),
        }
        return inputs, answers, weights


class PrintedProgress(keras.callbacks.Callback):
    """Prints loss and accuracy of the last hundred batches."""

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % 100 == 0:
            numbers = ", ".join(f"{name} {value:.3f}" for name, value in logs.items())
            print(f"  step {batch + 1}: {numbers}", flush=True)
            self.model.reset_metrics()


class MaskedLanguageModelHead(keras.layers.Layer):
    """Logits (batch, positions, vocabulary) at the asked positions, over the token embeddings.

    Args:
        embeddings: the `BertEmbeddings` whose table is used again.
    """

    def __init__(self, embeddings, **kwargs):
        super().__init__(**kwargs)
        self.embeddings = embeddings

    def build(self, hidden_shape, positions_shape):
        table_shape = self.embeddings.token_embedding.embeddings.shape
        self.dense = keras.layers.Dense(table_shape[1], activation="gelu")
        self.layer_norm = keras.layers.LayerNormalization(epsilon=1e-12)
        self.dense.build(hidden_shape)
        self.layer_norm.build(hidden_shape)
        self.bias = self.add_weight(shape=table_shape[:1], initializer="zeros", name="bias")

    def call(self, hidden, positions):
        hidden = ops.matmul(ops.one_hot(positions, ops.shape(hidden)[1]), hidden)
        table = self.embeddings.token_embedding.embeddings
        return ops.matmul(self.layer_norm(self.dense(hidden)), ops.transpose(table)) + self.bias

    def compute_output_shape(self, hidden_shape, positions_shape):
        return (*positions_shape, self.embeddings.token_embedding.embeddings.shape[0])


def _vocabulary(sentences):
    words = Counter(
        word for sentence in sentences for word in re.findall(r"\w+|[^\w\s]", sentence.lower())
    )
    return [*SPECIALS, *(word for word, _ in words.most_common())]


def _config(vocabulary_size, num_layers):
    return EncoderConfig(
        vocabulary_size=vocabulary_size,
        num_layers=num_layers,
        num_heads=4,
        hidden_dim=96,
        intermediate_dim=384,
        max_sequence_length=LENGTHS[-1],
        # There is no end of texts to overfit to.
        dropout=0.0,
        attention_dropout=0.0,
    )


def _masked_language_model(config):
    inputs = encoder_inputs(None)
    hidden, _ = encode(config, NoReduction(), SharedLayers(), inputs)
    embeddings = keras.Model(inputs, hidden).get_layer("embeddings")
    positions = keras.Input((None,), dtype="int32", name="positions")
    logits = MaskedLanguageModelHead(embeddings, name="head")(hidden, positions)
    return keras.Model({**inputs, "positions": positions}, logits)


def _initialize(model, token_ids, vocabulary_size):
    """Larger kernels, and word embeddings that know which words stand near each other."""
    for variable in model.trainable_variables:
        if variable.path.endswith("kernel"):
            variable.assign(KERNEL_SCALE * variable.numpy())
    table = model.get_layer("embeddings").token_embedding.embeddings
    near = np.zeros((vocabulary_size, vocabulary_size))
    for distance in (1, 2, 3):
        pairs = token_ids[:, :-distance].ravel(), token_ids[:, distance:].ravel()
        np.add.at(near, pairs, 1)
    present = np.zeros((len(token_ids), vocabulary_size), "float32")
    present[np.arange(len(token_ids))[:, None], token_ids] = 1
    half = table.shape[1] // 2
    vectors = [_factors(near + near.T, half), _factors(present.T @ present, half)]
    noise = np.random.default_rng(SEED).normal(scale=0.1, size=table.shape)
    table.assign(0.05 * (np.concatenate(vectors, axis=1) + noise))


def _factors(counts, dim):
    """The first `dim` factors of the positive pointwise mutual information of word pairs."""
    counts = counts.astype("float64")
    counts[: len(SPECIALS)] = counts[:, : len(SPECIALS)] = 0
    np.fill_diagonal(counts, 0)
    alone = np.maximum(counts.sum(axis=1), 1)
    ratios = counts * counts.sum() / np.outer(alone, alone)
    vectors, values, _ = np.linalg.svd(np.log(np.maximum(ratios, 1)))
    factors = vectors[:, :dim] * np.sqrt(values[:dim])
    return factors / factors.std()


def _grow(smaller, larger):
    """Fills a model with the weights of a smaller one, its encoders repeated from the bottom up."""
    depth = len([layer for layer in smaller.layers if layer.name.endswith("self_attention")])
    for layer in larger.layers:
        source = re.sub(r"\d+", lambda number: str(int(number[0]) % depth), layer.name, count=1)
        if layer.weights:
            layer.set_weights(smaller.get_layer(source).get_weights())


def _write(folder, model, config, vocabulary):
    variables = {variable.path: variable.numpy() for variable in model.weights}
    tensors = {}
    for ours, theirs, _ in encoder_table(config):
        tensor = variables[ours].T if ours.endswith("/kernel") else variables[ours]
        tensors[theirs] = np.ascontiguousarray(tensor)
    save_file(tensors, folder / "model.safetensors")
    described = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": config.vocabulary_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "hidden_size": config.hidden_dim,
        "intermediate_size": config.intermediate_dim,
        "max_position_embeddings": config.max_sequence_length,
        "type_vocab_size": config.num_segments,
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.attention_dropout,
        "hidden_act": "gelu",
        "layer_norm_eps": config.layer_norm_epsilon,
    }
    (folder / "config.json").write_text(json.dumps(described, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}\n')
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path(__file__).parent / "demo"
    )
    make(parser.parse_args().output)
