"""What the tests of several folders share."""

import os
import pathlib

import pytest
from xdist.scheduler import LoadFileScheduling

# Toys have no work for two threads, and two processes of tests would wait for each other's.
for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "1")


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data (GLUE, IMDB, vocabularies) that tests marked `data` read."""
    default = pathlib.Path(__file__).parents[2] / "shared"
    folder = pathlib.Path(os.environ.get("POWER_BERT_DATA", default))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data in {folder}; POWER_BERT_DATA names the folder")
    return folder


@pytest.fixture
def drawn(monkeypatch):
    """The axes of the pictures that are saved."""
    figure = pytest.importorskip("matplotlib.figure")
    drawn, real = [], figure.Figure.savefig

    def look(self, *arguments, **named):
        drawn.extend(self.axes)
        return real(self, *arguments, **named)

    monkeypatch.setattr(figure.Figure, "savefig", look)
    return drawn


def _commands(*names):
    return {f"tests/commands/test_{name}.py" for name in names}


# Files of `commands` that make runs of their own, and need none of those that the others share.
OWN_RUNS = _commands("adapler", "another_method", "backbones", "demo", "mnli", "race")
# Those that train many, over the one that they share with the others: it is made once more, and
# two processes have half of the work each.
MANY_RUNS = _commands("interruptions", "seeds", "trade_off", "tune")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The tests of a file go to one process, and those of `commands` that share a finished run."""

    class Scheduler(LoadFileScheduling):
        def _split_scope(self, nodeid):
            path = nodeid.split("::", 1)[0]
            if path in OWN_RUNS or not path.startswith("tests/commands/"):
                return path
            return "many runs" if path in MANY_RUNS else "tests/commands"

    return Scheduler(config, log)
