"""BERT and PoWER-BERT in plain NumPy, written from the papers and slow on purpose.

Every function takes one text at a time, as section 2 of PoWER-BERT does: `hidden` is the matrix M
of shape (rows, hidden_dim), `mask` a sequence of 1 for words and 0 for padding. Weights are a dict
from the end of a variable's path to its array, see `weights_of`. Everything is float64.

References: PoWER-BERT (Goyal et al., ICML 2020), "the paper" below, and BERT (Devlin et al., NAACL
2019) with the Transformer (Vaswani et al., NIPS 2017) where the paper leaves things to them.
"""

import math

import numpy as np
from keras import ops
from methods.adapler import numpy_adapler

_erf = np.vectorize(math.erf)


def weights_of(layer):
    """The weights of a layer by the last two parts of their path, such as "query/kernel"."""
    return {
        "/".join(variable.path.split("/")[-2:]): ops.convert_to_numpy(variable).astype("float64")
        for variable in layer.weights
    }


def dense(inputs, weights, name):
    return inputs @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def softmax(scores):
    """Row-wise."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def layer_norm(inputs, weights, epsilon=1e-12):
    centred = inputs - inputs.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon)
    return centred / deviation * weights["layer_norm/gamma"] + weights["layer_norm/beta"]


def activate(inputs, activation):
    """GELU is x times the normal distribution function (Hendrycks and Gimpel), or its tanh form."""
    if activation == "relu":
        return np.maximum(inputs, 0)
    if activation == "gelu_tanh":
        inner = math.sqrt(2 / math.pi) * (inputs + 0.044715 * inputs**3)
        return 0.5 * inputs * (1 + np.tanh(inner))
    return 0.5 * inputs * (1 + _erf(inputs / math.sqrt(2)))


def embeddings(token_ids, segment_ids, weights, position_offset=0, epsilon=1e-12):
    """BERT, section 3, figure 2: the sum of three embeddings, normalised."""
    rows = []
    for position, token_id in enumerate(token_ids):
        row = weights["token_embedding/embeddings"][token_id]
        row = row + weights["position_embedding/embeddings"][position_offset + position]
        if segment_ids is not None:
            row = row + weights["segment_embedding/embeddings"][segment_ids[position]]
        rows.append(row)
    return layer_norm(np.array(rows), weights, epsilon)


def self_attention(hidden, mask, weights, num_heads, bias=None):
    """Section 2: A_h = softmax[(M W_q)(M W_k)^T] and V_h = M W_v, for each head h.

    BERT divides by the square root of the key's width, and lets no word look at padding. `bias` is
    the m of AdapLeR's equation 1, for each row.

    Returns:
        A of shape (heads, rows, rows) and V of shape (heads, rows, value_dim).
    """
    words = np.flatnonzero(mask)
    queries = np.split(dense(hidden, weights, "query"), num_heads, axis=1)
    keys = np.split(dense(hidden, weights, "key"), num_heads, axis=1)
    values = np.split(dense(hidden, weights, "value"), num_heads, axis=1)
    probabilities = np.zeros((num_heads, len(hidden), len(hidden)))
    for head, (query, key) in enumerate(zip(queries, keys, strict=True)):
        scores = query @ key[words].T / math.sqrt(key.shape[1])
        if bias is not None:
            scores = scores + bias[words]
        probabilities[head][:, words] = softmax(scores)
    return probabilities, np.array(values)


def attention_output(hidden, probabilities, values, weights, epsilon=1e-12):
    """Section 2: Z_h = A_h V_h, concatenated over the heads; projected, added and normalised."""
    heads = [head @ value for head, value in zip(probabilities, values, strict=True)]
    projected = dense(np.concatenate(heads, axis=1), weights, "projection")
    return layer_norm(hidden + projected, weights, epsilon)


def feed_forward(hidden, weights, activation="gelu", epsilon=1e-12):
    """The Transformer, section 3.3, with an addition and a normalisation."""
    intermediate = activate(dense(hidden, weights, "intermediate"), activation)
    return layer_norm(hidden + dense(intermediate, weights, "output"), weights, epsilon)


def significance(probabilities, mask, count_self=False):
    """Section 3.2: Sig(w) = sum over heads h and words w' of A_h[w', w].

    w' runs over "other words": not over padding, nor over w itself unless `count_self`.
    """
    score = np.zeros(len(mask))
    for attention in probabilities:
        for query, is_word in enumerate(mask):
            for key in range(len(mask)):
                if is_word and (count_self or query != key):
                    score[key] += attention[query, key]
    return score


def static_score(mask, by_position):
    """Section 3.2, Head-WS and Rand-WS: the same positions are preferred for every text.

    Positions are those of words, counted without padding (design: padding ranks last).
    """
    score, position = [], 0
    for is_word in mask:
        score.append(by_position[position] if is_word else 0.0)
        position += is_word
    return score


def sorted_rows(score, mask):
    """Section 3.3: the rows in decreasing order of their score.

    CLS is never eliminated (section 3.4) and comes first, padding last, ties in reading order.
    """

    def key(row):
        return (row != 0, not mask[row], -score[row] if mask[row] else 0, row)

    return sorted(range(len(mask)), key=key)


def soft_extract(hidden, score, mask, retention, basis="absolute"):
    """Section 3.3: E_out[i] = r[Sig_pos(w_i)] E_in[i].

    In the relative basis position k of n words takes parameter floor(k N / n), at most the last.
    """
    hidden = np.array(hidden, dtype="float64")
    words = max(1, int(np.sum(mask)))
    for position, row in enumerate(sorted_rows(score, mask)):
        if basis == "relative":
            position = min(position * len(retention) // words, len(retention) - 1)
        hidden[row] *= retention[position]
    return hidden


def extracted_rows(score, mask, length, budget=None):
    """Section 3.2: the rows of the top `length` scores, in reading order, and their mask.

    Rows beyond the text's own `budget` are no words any more, and rank with the padding.
    """
    mask = list(mask)
    if budget is not None:
        for row in sorted_rows(score, mask)[budget:]:
            mask[row] = 0
    rows = sorted(sorted_rows(score, mask)[:length])
    return rows, [mask[row] for row in rows]


def relative_budget(words, length, reference_length):
    """ceil(length / reference_length * words), in fractions without rounding."""
    budget = 0
    while budget * reference_length < length * words:
        budget += 1
    return max(budget, 1)


def classify(model, token_ids, segment_ids):
    """The logits of one text that is not padded at all, by the weights of a `BertClassifier`.

    A padded text must give the same, wherever it stands (design: invariance).
    """
    config, reduction = model.config, model.reduction
    method = type(reduction).__name__
    layers = {layer.name: weights_of(layer) for layer in model.layers}
    words = len(token_ids)
    if config.num_segments == 1:
        segment_ids = [0] * words
    epsilon = config.layer_norm_epsilon
    hidden = embeddings(
        token_ids, segment_ids, layers["embeddings"], config.position_offset, epsilon
    )
    if config.embedding_dim is not None:
        hidden = dense(hidden, layers["embedding_projection"], "embedding_projection")
    mask, bias = [1] * len(hidden), None
    for index in range(config.num_layers):
        if method == "Removal":
            stays = numpy_adapler.stays(layers, index, hidden)
            hidden, mask = hidden[stays], [1] * sum(stays)
        if method == "SoftRemoval":
            bias = numpy_adapler.bias(layers, index, hidden, bias)
        name = "encoder" if config.share_layers else f"encoder_{index}"
        num_heads = config.encoder(index).num_heads
        probabilities, values = self_attention(
            hidden, mask, layers[f"{name}_self_attention"], num_heads, bias
        )
        if method == "Extraction":
            score = extraction_score(reduction, index, probabilities, mask, words)
            length = reduction.retention.lengths[index]
            if reduction.retention.basis == "relative":
                length = relative_budget(words, length, reduction.retention.reference_length)
            rows, mask = extracted_rows(score, mask, length)
            hidden, probabilities = hidden[rows], probabilities[:, rows]
        hidden = attention_output(
            hidden, probabilities, values, layers[f"{name}_attention_output"], epsilon
        )
        if method == "SoftExtraction":
            retention = model.get_layer(f"encoder_{index}_soft_extract").retention
            hidden = soft_extract(
                hidden,
                significance(probabilities, mask, reduction.count_self),
                mask,
                ops.convert_to_numpy(retention),
                reduction.basis,
            )
        hidden = feed_forward(hidden, layers[f"{name}_feed_forward"], config.activation, epsilon)
    pooled = hidden[0]
    if config.pooler:
        pooled = dense(pooled, layers["pooler"], "pooler")
        pooled = np.maximum(pooled, 0) if config.pooler_activation == "relu" else np.tanh(pooled)
    return dense(pooled, layers["classifier"], "classifier")


def extraction_score(reduction, index, probabilities, mask, words):
    """The score by which an `Extraction` selects in the encoder at `index`."""
    if reduction.selection == "attention":
        return significance(probabilities, mask, reduction.count_self)
    if reduction.selection == "head":
        return static_score(mask, -np.arange(words))
    drawn = np.random.default_rng(reduction.seed + index).random(words).astype("float32")
    return static_score(mask, drawn)
