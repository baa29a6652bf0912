"""A picture of what a model takes for what."""

import numpy as np

from power_bert_tf.files import write_file


def draw_confusion(confusion, names, path):
    """Draws a confusion matrix: the darker, the larger the share of a class.

    Args:
        confusion: lists of ints (classes, classes), how many examples of each class (rows) are
            found to be of each (columns).
        names: sequence of str, the classes.
        path: PNG file to write.
    """
    from matplotlib import figure

    counts = np.array(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.2 + 0.6 * len(names)
    picture = figure.Figure(figsize=(size + 1, size), layout="constrained")
    axes = picture.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{count:,}", ha="center", va="center", color=color)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="found", ylabel="is")
    write_file(path, lambda aside: picture.savefig(aside, dpi=120))
