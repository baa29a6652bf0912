"""One process at a time in a run folder."""

import contextlib
import fcntl
import os
import pathlib
import socket

from power_bert_tf.errors import InputError

_NAME = ".lock"


@contextlib.contextmanager
def locked(folder):
    """Keeps other processes from working in a folder for as long as the block runs.

    The lock is the system's, so a process that is killed holds none; its file is taken over.

    Args:
        folder: path of a folder.

    Raises:
        InputError: where another process has it: says which.
    """
    path = pathlib.Path(folder) / _NAME
    file = _taken(path)
    try:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield
    finally:
        # While it is held: later it may be another's.
        path.unlink(missing_ok=True)
        file.close()


def _taken(path):
    """The lock's file, open and locked."""
    while True:
        file = open(path, "a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read() or "another process"
            file.close()
            raise InputError(f"{path.parent} is in use by {holder}: wait until it ends") from None
        except OSError:  # A file system without locks.
            return file
        if _is_still_at(file, path):
            return file
        file.close()  # Whoever had it has removed it meanwhile.


def _is_still_at(file, path):
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
