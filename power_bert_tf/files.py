"""Files and folders that appear whole or not at all, and JSON that is an object."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile

from power_bert_tf.errors import InputError

# What libraries say of a full disk, each with an error of its own.
_NO_ROOM = ("No space left on device", "Disk quota exceeded", "File too large")


def read_json_object(path):
    """Reads a JSON file that holds an object.

    Raises:
        InputError: where it cannot be read, is no JSON, or holds something else.
    """
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    return parse_json_object(content, path)


def parse_json_object(content, path):
    """A JSON object from the bytes of a file; `path` is for the error."""
    try:
        value = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} must be a JSON file. Received: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} must hold a JSON object. Received: {type(value).__name__}")
    return value


def write_file(path, write):
    """Writes a file aside, then renames it into place.

    Args:
        path: where the file is to appear.
        write: function that is given the path to write to, of the same suffix.

    Raises:
        InputError: where it cannot be written: the disk is full, or a folder stands there.
    """
    path = pathlib.Path(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(
            prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
        )
        os.close(descriptor)
        try:
            write(pathlib.Path(aside))
            os.chmod(aside, 0o644)
            os.replace(aside, path)
        finally:
            pathlib.Path(aside).unlink(missing_ok=True)


def write_text(path, text):
    """Writes a text file whole."""
    write_file(path, lambda aside: aside.write_text(text, encoding="utf-8"))


def write_json(path, value):
    """Writes a JSON file whole."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_folder(path, write):
    """Fills a folder aside, then renames it into place; one that is there is replaced.

    Args:
        path: where the folder is to appear.
        write: function that is given the folder to fill.

    Raises:
        InputError: where it cannot be written: the disk is full, or a file stands there.
    """
    path = pathlib.Path(path).resolve()
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = pathlib.Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            write(aside)
            for each in (aside, *aside.rglob("*")):
                # Some libraries' files are their owner's alone.
                os.chmod(each, 0o755 if each.is_dir() else 0o644)
            if path.exists():
                shutil.rmtree(path)
            os.replace(aside, path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def check_new(path, overwrite=False):
    """Raises InputError where something stands at a path that a user gave, unless told."""
    path = pathlib.Path(path)
    if not overwrite and path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path} is there already: --overwrite replaces it")


@contextlib.contextmanager
def writing(path):
    """Raises InputError, one line, where what the block writes to a path cannot be written."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        said = next((each for each in _NO_ROOM if each in str(error)), None)
        if said is None and not isinstance(error, OSError):
            raise
        reason = said or error.strerror or " ".join(str(error).split())
        raise InputError(f"cannot write {path}: {reason}") from error
