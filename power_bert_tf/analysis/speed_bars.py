"""A picture of how many texts a second each way answers."""

from power_bert_tf.files import write_file


def draw_speeds(bars, title, path):
    """Draws a bar for each way, BERT's grey and the faster model's blue.

    Args:
        bars: sequence of (label, texts a second, speedup over BERT padded to N).
        title: str.
        path: PNG file to write.
    """
    from matplotlib import figure

    picture = figure.Figure(figsize=(8, 3.2), layout="constrained")
    axes = picture.subplots()
    labels, speeds, faster = zip(*bars, strict=True)
    colours = ["0.75" if label.startswith("BERT") else "tab:blue" for label in labels]
    drawn = axes.barh(labels, speeds, color=colours)
    axes.bar_label(drawn, [f"{each:.2f}x" for each in faster], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("texts a second")
    axes.set_title(title, fontsize=10, loc="left")
    write_file(path, lambda aside: picture.savefig(aside, dpi=150))
