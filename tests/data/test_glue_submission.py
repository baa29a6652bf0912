"""GLUE's hidden tests and the files of answers, against the written-down specification."""

import numpy as np
import pytest
import tensorflow as tf
from glue_specification import SPECIFICATION
from glue_specification import check_file

from power_bert_tf.data import TASKS
from power_bert_tf.data.glue_submission import HIDDEN_TESTS
from power_bert_tf.data.glue_submission import hidden_tests
from power_bert_tf.data.glue_submission import is_there
from power_bert_tf.data.glue_submission import load_hidden_test
from power_bert_tf.errors import InputError

TESTS = {test.name: test for test in HIDDEN_TESTS}
# The classes of the tasks in words of the server: what the label of a task means there.
MEANINGS = {
    "unacceptable": "0",
    "acceptable": "1",
    "negative": "0",
    "positive": "1",
    "not_equivalent": "0",
    "equivalent": "1",
    "not_duplicate": "0",
    "duplicate": "1",
}


def test_every_file_of_the_server_has_its_test():
    assert {f"{name}.tsv": test.rows for name, test in TESTS.items()} == {
        name: each["rows"] for name, each in SPECIFICATION["files"].items()
    }
    answered = {test.name for task in TASKS for test in hidden_tests(task)}
    assert answered == set(TESTS)
    assert [test.name for test in hidden_tests("mnli-m")] == ["MNLI-m", "MNLI-mm", "AX"]
    assert hidden_tests("mnli-mm") == hidden_tests("mnli-m")
    assert hidden_tests("imdb") == hidden_tests("race") == ()


@pytest.mark.parametrize("name", TESTS)
def test_answers_are_spelt_as_the_server_spells_them(name):
    test = TESTS[name]
    for task in test.tasks:
        labels = TASKS[task].labels
        if not labels:
            outputs = np.array([[-0.4], [0.0], [2.71828], [5.0], [7.5], [4.9996]])
            predictions = check_file(f"{name}.tsv", test.lines(range(6), outputs), range(6))
            assert predictions == ["0.000", "0.000", "2.718", "5.000", "5.000", "5.000"]
            continue
        # Each class once, and an order and gaps in the indices that must stay.
        outputs, indices = np.eye(len(labels)), [7, 3, 12][: len(labels)]
        predictions = check_file(f"{name}.tsv", test.lines(indices, outputs), indices)
        if task == "wnli":
            assert predictions == [{"not_entailment": "0", "entailment": "1"}[x] for x in labels]
        else:
            assert predictions == [MEANINGS.get(label, label) for label in labels]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# The header of each test file of GLUE.
HEADERS = {
    "CoLA": "index\tsentence",
    "SST-2": "index\tsentence",
    "MRPC": "index\t#1 ID\t#2 ID\t#1 String\t#2 String",
    "STS-B": "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2",
    "QQP": "id\tquestion1\tquestion2",
    "MNLI-m": "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\t"
    "sentence1_parse\tsentence2_parse\tsentence1\tsentence2",
    "QNLI": "index\tquestion\tsentence",
    "RTE": "index\tsentence1\tsentence2",
    "WNLI": "index\tsentence1\tsentence2",
    "AX": "index\tsentence1\tsentence2",
}
HEADERS["MNLI-mm"] = HEADERS["MNLI-m"]


@pytest.mark.parametrize("name", TESTS)
def test_from_tsv(tmp_path, name):
    test, columns = TESTS[name], HEADERS[name].split("\t")
    assert not is_there(test, tmp_path)
    with pytest.raises(InputError, match=f"must hold {test.tsv}"):
        load_hidden_test(test, tmp_path)
    texts = {
        column: [f'{column} "{row}', "" if column == "question2" else f"{column}"]
        for row, column in enumerate(columns)
    }
    # Indices in the order of the file, which need not begin at 0.
    texts[columns[0]] = ["5", "2"]
    lines = ["\t".join(row) for row in zip(*texts.values(), strict=True)]
    write(tmp_path / test.tsv, "\n".join([f"\ufeff{HEADERS[name]}", *lines, ""]))
    assert is_there(test, tmp_path)
    indices, first, second = load_hidden_test(test, tmp_path)
    assert indices == [5, 2]
    if TASKS[test.tasks[0]].is_pair:
        assert [first, second] == [texts[each] for each in columns[-2:]]
    else:
        assert first == texts["sentence"] and second is None


def mock(builder, split=None, **arguments):
    columns = {"idx": [2, 0, 1], "label": [-1, -1, -1]}
    if not hasattr(builder.info.features["label"], "num_classes"):
        columns["label"] = [-1.0] * 3
    for name in set(builder.info.features) - set(columns):
        columns[name] = [f"{name} {split} {index}" for index in columns["idx"]]
    return tf.data.Dataset.from_tensor_slices(columns)


@pytest.mark.parametrize("name", TESTS)
def test_from_tfds(name):
    """Features and splits are those of tensorflow-datasets; rows come back by their index."""
    import tensorflow_datasets as tfds

    test = TESTS[name]
    task = TASKS[test.tasks[0]]
    with tfds.testing.mock_data(as_dataset_fn=mock):
        indices, first, second = load_hidden_test(test)
    split = {"MNLI-m": "test_matched", "MNLI-mm": "test_mismatched"}.get(name, "test")
    assert indices == [0, 1, 2]
    assert first == [f"{task.features[0]} {split} {index}" for index in range(3)]
    if task.is_pair:
        assert second == [f"{task.features[1]} {split} {index}" for index in range(3)]
    else:
        assert second is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("x\ta\tb", "expected a number in 'index'. Received: 'x'"),
        ("-1\ta\tb", "expected a number in 'index'"),
        ("0\ta\tb", "RTE must have each index once"),
        ("1\ta", "test.tsv:3: expected 3 columns"),
    ],
)
def test_bad_test_files(tmp_path, row, message):
    write(tmp_path / "RTE/test.tsv", f"{HEADERS['RTE']}\n0\ta\tb\n{row}\n")
    with pytest.raises(InputError, match=message):
        load_hidden_test(TESTS["RTE"], tmp_path)


@pytest.mark.data
@pytest.mark.parametrize("name", ["CoLA", "MRPC", "RTE"])
def test_real_test_sets(real_data, name):
    from_tsv = load_hidden_test(TESTS[name], real_data / "data/glue")
    assert from_tsv[0] == list(range(SPECIFICATION["files"][f"{name}.tsv"]["rows"]))
    tfds_folder = real_data / "tfds" / TESTS[name].tfds_name
    if any(tfds_folder.glob("*/*-test.*")):
        assert load_hidden_test(TESTS[name], tfds_dir=real_data / "tfds") == from_tsv
