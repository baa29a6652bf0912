"""The README's code runs as it stands."""

import pathlib
import re

from commands.conftest import write_checkpoint
from commands.conftest import write_tsv
from training import toy

README = pathlib.Path(__file__).parents[1] / "README.md"


def test_python_example_runs(tmp_path, monkeypatch):
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    config = toy.config(max_sequence_length=64)
    monkeypatch.setattr(toy, "config", lambda: config)
    write_checkpoint(tmp_path / "BERT_FOLDER", max_position_embeddings=64)
    write_tsv(tmp_path / "reviews.tsv", toy.examples(32, seed=0))
    monkeypatch.chdir(tmp_path)
    exec(compile(example, README.name, "exec"), {})
    assert (tmp_path / "served" / "saved_model.pb").exists()
