"""A run's answers to the hidden tests of GLUE, as its evaluation server takes them."""

import pathlib

from power_bert_tf.data.glue_submission import hidden_tests
from power_bert_tf.data.glue_submission import is_there
from power_bert_tf.data.glue_submission import load_hidden_test
from power_bert_tf.errors import InputError
from power_bert_tf.files import write_text
from power_bert_tf.runs.options import DataOptions


def write_submission(run, folder, data_dir=None, tfds_dir=None, **options):
    """Writes a file for each hidden test that a run's model answers.

    AX has a folder of its own: where it is not there, MNLI's other files are, and this is said.

    Args:
        run: `Run`, of a task of GLUE.
        folder: where the files are to appear.
        data_dir, tfds_dir: where the tests are; where the run had its examples from where neither
            is given.
        **options: those of `Run.compiled`.

    Returns:
        The paths of the files.

    Raises:
        InputError: where the task is not GLUE's, no test is there, or a file is malformed.
    """
    folder, source = pathlib.Path(folder), run.folder.settings()["source"]
    source = None if source is None else DataOptions.from_source(source)
    tests = hidden_tests(run.task.name) if source is not None and source.task else ()
    if not tests:
        raise InputError(f"`glue` goes with runs of GLUE's tasks. Received: {run.task.name!r}")
    if data_dir is not None and tfds_dir is not None:
        raise InputError("give `tfds_dir` or `data_dir`, not both")
    if data_dir is None and tfds_dir is None:
        data_dir, tfds_dir = source.data_dir, source.tfds_dir
    # The first is there, or the error says what is not.
    present = [tests[0], *(test for test in tests[1:] if is_there(test, data_dir, tfds_dir))]
    loaded = {test: load_hidden_test(test, data_dir, tfds_dir) for test in present}
    compiled = run.compiled(**options)
    contents = {
        test: test.lines(indices, compiled.predict(*columns))
        for test, (indices, *columns) in loaded.items()
    }
    paths = []
    for test, content in contents.items():
        paths.append(folder / f"{test.name}.tsv")
        write_text(paths[-1], content)
        rows = len(loaded[test][0])
        note = "" if rows == test.rows else f"; the server expects {test.rows}"
        print(f"{paths[-1]}: {rows} answers{note}")
    for test in tests:
        if test not in present:
            print(f"No {test.name}.tsv: there is neither {test.tsv} nor {test.tfds_name}")
    return paths
