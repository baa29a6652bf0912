"""What the evaluation server of GLUE takes, as it is written down beside this file."""

import json
import pathlib
import re

SPECIFICATION = json.loads(
    pathlib.Path(__file__).with_name("glue_submission_specification.json").read_text()
)


def check_file(name, text, indices):
    """Asserts what the specification says of a file; returns its predictions."""
    expected = SPECIFICATION["files"][name]["predictions"]
    separator = SPECIFICATION["separator"]
    assert text.endswith("\n")
    header, *rows = text[:-1].split("\n")
    assert header.split(separator) == SPECIFICATION["header"]
    given = [row.split(separator) for row in rows]
    assert [index for index, _ in given] == [str(index) for index in indices]
    for _, prediction in given:
        if isinstance(expected, list):
            assert prediction in expected
        else:
            assert re.fullmatch(rf"\d\.\d{{{expected['decimals']}}}", prediction)
            assert expected["lowest"] <= float(prediction) <= expected["highest"]
    return [prediction for _, prediction in given]
