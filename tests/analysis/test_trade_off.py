import pytest

from power_bert_tf.analysis.trade_off import draw_trade_offs

LINES = {
    "absolute": [
        {"speed": 1.6, "drop": 2.0, "strength": 1e-3},
        {"speed": 1.2, "drop": -0.1, "strength": 2e-4},
    ],
    "relative": [
        {"speed": 1.8, "drop": 1.0, "strength": 4e-4},
        {"speed": 1.9, "drop": 1.1, "strength": None},
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


def test_points_are_joined_by_speed_and_the_better_is_above(tmp_path, monkeypatch):
    figure = pytest.importorskip("matplotlib.figure")
    drawn = []
    real = figure.Figure.savefig

    def look(self, *arguments, **named):
        drawn.extend(self.axes)
        return real(self, *arguments, **named)

    monkeypatch.setattr(figure.Figure, "savefig", look)
    draw_trade_offs({"one": LINES}, tmp_path / "a.png")
    (axes,) = drawn
    by_label = {line.get_label(): line for line in axes.lines}
    assert list(by_label["absolute"].get_xdata()) == [1.2, 1.6]
    assert list(by_label["absolute"].get_ydata()) == [-0.1, 2.0]
    assert list(by_label["BERT"].get_xydata()[0]) == [1, 0]
    assert axes.yaxis_inverted()
    assert {text.get_text() for text in axes.texts} == {"0.001", "0.0002", "0.0004", "given"}
