"""One process at a time works in a run folder; a dead one holds nothing."""

import signal
import socket
import subprocess
import sys

import pytest

from power_bert_tf.errors import InputError
from power_bert_tf.runs.lock import locked

HOLDS = """
import sys, time
from power_bert_tf.runs.lock import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_process_is_told_who_has_it(tmp_path, holder):
    said = f"{tmp_path} is in use by process {holder.pid} on {socket.gethostname()}: wait"
    for _ in range(2):
        with pytest.raises(InputError, match=said), locked(tmp_path):
            pass


def test_a_process_that_is_killed_holds_nothing(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_it_is_given_back_whatever_happens(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyError), locked(tmp_path):
            raise KeyError
    assert list(tmp_path.iterdir()) == []
