import numpy as np
import pytest

from power_bert_tf.methods.power_bert.greedy_search import Found
from power_bert_tf.methods.power_bert.plots import draw_elimination
from power_bert_tf.methods.power_bert.plots import draw_search
from power_bert_tf.methods.power_bert.retention import RetentionConfiguration

COURSE = {"steps": [0, 2, 4], "masses": [[8.0, 8.0], [6.0, 5.0], [5.5, 3.0]]}
PARAMETERS = [np.linspace(1, 0.2, 8), np.linspace(0.9, 0.0, 8)]


@pytest.mark.parametrize("retention", ["6,3", "6,3 of 8"])
def test_a_picture_appears(tmp_path, retention):
    pytest.importorskip("matplotlib")
    path = tmp_path / "new" / "search.png"
    draw_search(COURSE, PARAMETERS, RetentionConfiguration.parse(retention), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 5000
    assert [each.name for each in path.parent.iterdir()] == ["search.png"]


def test_a_greedy_search_has_a_line_for_each_encoder_but_the_last(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from matplotlib import figure

    drawn = []
    monkeypatch.setattr(figure.Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    monkeypatch.setattr(
        "power_bert_tf.methods.power_bert.plots.write_file", lambda path, write: write(path)
    )
    path = [
        Found(RetentionConfiguration((8, 8, 1)), 1.0, 0.0),
        Found(RetentionConfiguration((8, 6, 1)), 1.2, 0.1),
        Found(RetentionConfiguration((6, 4, 1)), 1.5, 0.3),
    ]
    draw_elimination(path, tmp_path / "a.png")
    loss, lengths = drawn[0].axes
    assert loss.lines[0].get_xydata().tolist() == [[1.0, 0.0], [1.2, 0.1], [1.5, 0.3]]
    kept = {line.get_label(): line.get_ydata().tolist() for line in lengths.lines}
    assert kept == {"encoder 1": [8, 8, 6], "encoder 2": [8, 6, 4]}
