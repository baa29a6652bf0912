"""What the tests of several folders share."""

import os
import pathlib

import pytest


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data (GLUE, IMDB, vocabularies) that tests marked `data` read."""
    default = pathlib.Path(__file__).parents[2] / "shared"
    folder = pathlib.Path(os.environ.get("POWER_BERT_DATA", default))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data in {folder}; POWER_BERT_DATA names the folder")
    return folder
