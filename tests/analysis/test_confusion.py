"""The picture of what a model takes for what."""

from power_bert_tf.analysis.confusion import draw_confusion


def test_counts_and_names_are_drawn(tmp_path, drawn):
    draw_confusion([[1200, 3], [0, 0]], ["good", "bad"], tmp_path / "a.png")
    (axes,) = drawn
    assert [text.get_text() for text in axes.texts] == ["1,200", "3", "0", "0"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["good", "bad"]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
