import builtins

import numpy as np
import pytest

from power_bert_tf.errors import InputError
from power_bert_tf.methods.power_bert.plots import draw_search
from power_bert_tf.modeling import RetentionConfiguration

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


def test_without_matplotlib_the_error_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'power-bert-tf\[plots\]'"):
        draw_search(COURSE, PARAMETERS, RetentionConfiguration.parse("6,3"), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
