import numpy as np
import pytest

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
