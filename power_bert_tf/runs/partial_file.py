"""A file that grows while work goes on, and is gone on with when that was interrupted."""

import json
import os
import pathlib

from power_bert_tf.errors import InputError
from power_bert_tf.files import read_json_object
from power_bert_tf.files import write_json
from power_bert_tf.files import writing


class PartialFile:
    """A file that appears whole, and until then grows beside its place.

    What is written counts once `append` has returned. A process that is killed meanwhile leaves
    no half of a row behind: another that is given the same identity goes on after the last whole
    `append`.

    Args:
        path: where the file is to appear.
        identity: dict, JSON-ready, what it is made from; with another one it begins anew.

    Attributes:
        rows: int, how many rows are there already.
    """

    def __init__(self, path, identity):
        self.path = pathlib.Path(path)
        self._part = self.path.with_name(f".{self.path.name}.part")
        self._record = self.path.with_name(f".{self.path.name}.part.json")
        self._identity = json.loads(json.dumps(identity))
        self.rows, self._bytes = self._before()
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._part, "ab") as file:
                file.truncate(self._bytes)

    def _before(self):
        """Rows and bytes that an interrupted process has left."""
        try:
            record = read_json_object(self._record)
            if record["identity"] == self._identity:
                if self._part.stat().st_size >= record["bytes"]:
                    return record["rows"], record["bytes"]
        except (InputError, KeyError, FileNotFoundError):
            pass
        return 0, 0

    def append(self, text, rows):
        """Writes the text of so many further rows.

        Raises:
            InputError: where it cannot be written; what was there stays.
        """
        content = text.encode()
        with writing(self.path):
            with open(self._part, "ab") as file:
                file.truncate(self._bytes)
                file.write(content)
            self.rows, self._bytes = self.rows + rows, self._bytes + len(content)
            record = {"identity": self._identity, "rows": self.rows, "bytes": self._bytes}
            write_json(self._record, record)

    def discard(self):
        """Leaves nothing behind where there is no row yet."""
        if self.rows == 0:
            self._part.unlink(missing_ok=True)
            self._record.unlink(missing_ok=True)

    def finish(self):
        """Puts the file into its place."""
        with writing(self.path):
            os.replace(self._part, self.path)
            self._record.unlink(missing_ok=True)
