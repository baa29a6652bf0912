"""A picture of how many words each encoder leaves."""

from power_bert_tf.files import write_file


def draw_word_counts(percentiles, path):
    """Draws the words that are left after each encoder, over the texts.

    Args:
        percentiles: dict of a percentile, "5" to "95", to the words left after each encoder; the
            first is before the first encoder.
        path: PNG file to write.
    """
    from matplotlib import figure

    picture = figure.Figure(figsize=(7, 3.2), layout="constrained")
    axes = picture.subplots()
    encoders = range(len(percentiles["50"]))
    for low, high, shade in (("5", "95", 0.2), ("25", "75", 0.4)):
        label = f"{int(high) - int(low)} % of the texts"
        axes.fill_between(
            encoders,
            percentiles[low],
            percentiles[high],
            color="tab:blue",
            alpha=shade,
            linewidth=0,
            label=label,
        )
    axes.plot(encoders, percentiles["50"], color="tab:blue", marker="o", label="the middle text")
    axes.set(xlabel="encoder", ylabel="words that are left", xticks=encoders)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize="small")
    write_file(path, lambda aside: picture.savefig(aside, dpi=150))
