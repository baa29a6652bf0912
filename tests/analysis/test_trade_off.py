import pytest

from power_bert_tf.analysis.trade_off import draw_trade_offs

LINES = {
    "absolute": [
        {"speed": 1.6, "bert": 90.0, "drop": 2.0, "interval": [1.5, 2.75], "label": "lambda 0.001"},
        {"speed": 1.2, "bert": 90.0, "drop": -0.5, "interval": None, "label": "lambda 0.0002"},
    ],
    "relative": [
        {"speed": 1.8, "bert": 90.0, "drop": 1.0, "interval": [0.5, 1.5], "label": "lambda 0.0004"},
        {"speed": 1.9, "bert": 90.0, "drop": 1.1, "interval": [0.5, 1.5], "label": "given"},
    ],
}


def test_a_panel_for_each_task(tmp_path):
    pytest.importorskip("matplotlib")
    from matplotlib import image

    shapes = []
    for panels in ({"one": LINES}, {"one": LINES, "two": LINES}):
        path = tmp_path / "new" / f"{len(panels)}.png"
        draw_trade_offs(panels, path)
        shapes.append(image.imread(path).shape)
    assert shapes[1][0] == shapes[0][0] and shapes[1][1] == 2 * shapes[0][1]
    assert len(list(path.parent.iterdir())) == 2


def test_points_are_joined_by_speed_and_bert_is_a_line(tmp_path, drawn):
    draw_trade_offs({"one": LINES}, tmp_path / "a.png")
    (axes,) = drawn
    handles = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    line, _, (bars,) = handles["absolute"]
    assert line.get_xydata().tolist() == [[1.2, 90.5], [1.6, 88.0]]
    # From the most that is lost to the least.
    assert bars.get_segments()[1].tolist() == [[1.6, 87.25], [1.6, 88.5]]
    assert list(handles["BERT"].get_ydata()) == [90.0, 90.0]
    assert not axes.yaxis_inverted()
    assert {text.get_text() for text in axes.texts} == {
        "lambda 0.001",
        "lambda 0.0002",
        "lambda 0.0004",
        "given",
    }
