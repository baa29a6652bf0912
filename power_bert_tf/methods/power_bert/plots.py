"""Pictures of a configuration search."""

from power_bert_tf.files import write_file


def draw_search(history, retention_parameters, retention, path):
    """Draws the masses over time and what was learnt at the end.

    Args:
        history: dict of `steps` (list of int) and `masses` (a list of one float an encoder for
            each step).
        retention_parameters: list of arrays of shape (N,), one an encoder.
        retention: `RetentionConfiguration`.
        path: PNG file to write.
    """
    from matplotlib import figure

    picture = figure.Figure(figsize=(11, 4), layout="constrained")
    masses_axes, parameters_axes = picture.subplots(1, 2)

    encoders = len(retention_parameters)
    for index in range(encoders):
        shade = 0.15 + 0.7 * index / max(1, encoders - 1)
        masses_axes.plot(
            history["steps"],
            [masses[index] for masses in history["masses"]],
            color=(shade, 0.3, 1 - shade),
            label=f"encoder {index + 1}",
        )
    masses_axes.set(xlabel="training step", ylabel="mass (word-vectors)", ylim=(0, None))
    masses_axes.set_title("Mass over the search")
    masses_axes.legend(fontsize="x-small", ncols=2)

    image = parameters_axes.imshow(
        retention_parameters, aspect="auto", vmin=0, vmax=1, cmap="viridis", interpolation="none"
    )
    for index, length in enumerate(retention.lengths):
        parameters_axes.plot(
            [length - 0.5] * 2, [index - 0.5, index + 0.5], color="red", linewidth=2
        )
    parameters_axes.set(xlabel="sorted position", ylabel="encoder")
    parameters_axes.set_yticks(range(encoders), [str(index + 1) for index in range(encoders)])
    parameters_axes.set_title(f"Retention parameters; red: kept ({retention.basis})")
    picture.colorbar(image, ax=parameters_axes)
    write_file(path, lambda aside: picture.savefig(aside, dpi=110))
