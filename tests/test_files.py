"""What is written appears whole, or not at all and without a trace."""

import errno
import os
import stat

import pytest

from power_bert_tf import files
from power_bert_tf.errors import InputError


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_write_text_and_json_create_folders(tmp_path):
    files.write_text(tmp_path / "a" / "b" / "text.txt", "één\n")
    files.write_json(tmp_path / "a" / "value.json", {"é": [1, None]})
    assert (tmp_path / "a" / "b" / "text.txt").read_bytes() == "één\n".encode()
    assert (tmp_path / "a" / "value.json").read_text() == '{\n  "é": [\n    1,\n    null\n  ]\n}\n'
    assert stat.S_IMODE(os.stat(tmp_path / "a" / "value.json").st_mode) == 0o644


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("before")

    def write(aside):
        assert aside.suffix == ".keras" and aside.parent == tmp_path
        aside.write_text("after")
        assert path.read_text() == "before"

    files.write_file(path, write)
    assert contents(tmp_path) == {"model.keras": "after"}


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").write_text("before")

    def write(aside):
        (aside / "new").write_text("after")
        os.chmod(aside / "new", 0o600)
        assert contents(path) == {"old": "before"}

    files.write_folder(path, write)
    assert contents(tmp_path) == {"folder": None, "folder/new": "after"}
    assert stat.S_IMODE(os.stat(path / "new").st_mode) == 0o644
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o755


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("existing", [True, False])
def test_a_writer_that_fails_leaves_everything_as_it_was(tmp_path, existing, error):
    if existing:
        (tmp_path / "file").write_text("before")
        (tmp_path / "folder").mkdir()
    before = contents(tmp_path)

    def write_half(aside):
        (aside / "half" if aside.is_dir() else aside).write_text("half")
        raise error

    with pytest.raises(error):
        files.write_file(tmp_path / "file", write_half)
    with pytest.raises(error):
        files.write_folder(tmp_path / "folder", write_half)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError("Can't synchronously write data (errno = 28)"), "Can't synchronously write data"),
        (RuntimeError("a/b.data; No space left on device\nmore"), "No space left on device"),
    ],
)
def test_a_full_disk_is_one_line(tmp_path, error, said):
    def write_half(aside):
        (aside / "half" if aside.is_dir() else aside).write_text("half")
        raise error

    for write in (files.write_file, files.write_folder):
        with pytest.raises(InputError, match=f"cannot write .*/new: {said}") as caught:
            write(tmp_path / "new", write_half)
        assert "\n" not in str(caught.value)
    assert contents(tmp_path) == {}


def test_a_folder_where_a_file_is_to_be(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot write .*/folder: Is a directory"):
        files.write_text(tmp_path / "folder", "text")
    assert contents(tmp_path) == {"folder": None}


def test_what_is_there_is_not_replaced_unasked(tmp_path):
    (tmp_path / "file").write_text("before")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(InputError, match=f"{path} is there already: --overwrite replaces it"):
            files.check_new(path)
        files.check_new(path, overwrite=True)
    for name in ("empty", "new"):
        files.check_new(tmp_path / name)


@pytest.mark.parametrize("write", [files.write_file, files.write_folder])
def test_a_place_where_nothing_can_be_created(tmp_path, write):
    (tmp_path / "file").write_text("a file, no folder")
    with pytest.raises(InputError, match="cannot write .*file"):
        write(tmp_path / "file" / "below", lambda aside: None)
    assert contents(tmp_path) == {"file": "a file, no folder"}


def test_the_current_folder_can_be_filled(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    files.write_folder(".", lambda aside: (aside / "new").write_text("there"))
    assert contents(tmp_path) == {"here": None, "here/new": "there"}


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 100_000, "3", "\udcff"])
def test_json_that_is_no_object_is_refused(tmp_path, content):
    path = tmp_path / "value.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match="value.json must"):
        files.read_json_object(path)
    path.write_text('{"a": [1]}')
    assert files.read_json_object(path) == {"a": [1]}
    path.unlink()
    with pytest.raises(InputError, match="cannot read"):
        files.read_json_object(path)
