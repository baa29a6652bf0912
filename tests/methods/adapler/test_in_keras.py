"""The page's example runs, on toys."""

import pathlib
import re

import keras
import pytest
from training import toy

import power_bert_tf as pb

PAGE = pathlib.Path(pb.__file__).parent / "methods" / "adapler" / "README.md"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="trains on TensorFlow"),
]


def test_the_example_of_the_page():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {
        "bert": toy.classifier(seed=3),
        "train": toy.examples(64, seed=1),
        "preprocessor": toy.preprocessor(),
    }
    exec(compile(example, PAGE.name, "exec"), names)
    assert isinstance(names["fast"].reduction, pb.Removal)
