"""Multiple choice: RACE, questions of one's own, and examples whose rows belong together."""

import json

import numpy as np
import pytest
import tensorflow as tf

from power_bert_tf.data import TASKS
from power_bert_tf.data import Examples
from power_bert_tf.data import load_from_tfds
from power_bert_tf.data import load_questions
from power_bert_tf.data.race import option_pairs
from power_bert_tf.errors import InputError

LABELS = ("A", "B", "C")


def questions(count=6):
    """Question i has the options "i a", "i b" and "i c", of which i modulo 3 is right."""
    rows = [f"{index} {option}" for index in range(count) for option in "abc"]
    articles = [f"article {row.split()[0]}" for row in rows]
    return Examples(articles, rows, [index % 3 for index in range(count)], LABELS, 3)


def test_an_option_fills_the_blank_or_follows_the_question():
    assert option_pairs("Text.", "Bees like _ .", ["tea", "honey"]) == [
        ("Text.", "Bees like tea ."),
        ("Text.", "Bees like honey ."),
    ]
    assert option_pairs("Text.", "What?", ["a", "b"]) == [
        ("Text.", "What? a"),
        ("Text.", "What? b"),
    ]


def test_questions_are_never_parted():
    examples = questions()
    assert len(examples) == 6 and len(examples.texts) == 18
    some = examples.select(np.array([4, 1]))
    assert some.text_pairs.tolist() == ["4 a", "4 b", "4 c", "1 a", "1 b", "1 c"]
    assert some.texts.tolist() == ["article 4"] * 3 + ["article 1"] * 3
    assert (some.labels.tolist(), some.choices, some.label_names) == ([1, 1], 3, LABELS)
    taken = examples.take(4, seed=0)
    assert len(taken) == 4 and len(taken.texts) == 12
    rows = taken.text_pairs.reshape(4, 3)
    for row, label in zip(rows, taken.labels, strict=True):
        index = int(row[0].split()[0])
        assert row.tolist() == [f"{index} {option}" for option in "abc"] and label == index % 3


def test_characters_are_those_of_the_longest_option():
    examples = Examples(["a", "a", "bb", "bb"], ["x", "xxx", "", "y"], [0, 1], ("A", "B"), 2)
    assert examples.characters().tolist() == [4, 3]


def test_fingerprint_knows_the_number_of_options():
    two = Examples(["a", "b", "c", "d"], None, [0, 1], ("A", "B", "C", "D"), 2)
    four = Examples(["a", "b", "c", "d"], None, [0], ("A", "B", "C", "D"), 4)
    other = Examples(["a", "b", "c", "d"], None, [0, 0], ("A", "B", "C", "D"), 2)
    assert len({each.fingerprint() for each in (two, four, other)}) == 3
    assert questions().fingerprint() == questions().fingerprint()


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["a", "b", "c"], [0, 1], "2 texts and one label per example"),
        (["a", "b"], [0, 1], "2 texts and one label per example"),
        (["a", "b"], [2], "integers from 0 to 1"),
    ],
)
def test_bad_questions(texts, labels, message):
    with pytest.raises(InputError, match=message):
        Examples(texts, None, labels, ("A", "B"), 2)


def race(builder, split=None, **arguments):
    """Two passages, of which the first has two questions, as RACE's builder gives them."""
    level = builder.builder_config.name
    asked = [["What?", "Bees like _ ."], ["Who?"]]
    options = [[["tea", "honey", "air", "sand"], list("abcd")], [list("wxyz")]]
    columns = {
        "article": [f"{level} {split} one.", f"{level} {split} two."],
        "questions": tf.ragged.constant(asked),
        "options": tf.ragged.constant(options),
        "answers": tf.ragged.constant([["B", "D"], ["A"]]),
        "example_id": ["1.txt", "2.txt"],
    }
    return tf.data.Dataset.from_tensor_slices(columns)


@pytest.mark.parametrize("name", ["race", "race-middle", "race-high"])
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_race_from_tfds(name, split):
    import tensorflow_datasets as tfds

    with tfds.testing.mock_data(as_dataset_fn=race):
        examples = load_from_tfds(TASKS[name], split)
    levels = ["middle", "high"] if name == "race" else [name.removeprefix("race-")]
    assert examples.labels.tolist() == [1, 3, 0] * len(levels)
    assert (examples.choices, examples.label_names) == (4, ("A", "B", "C", "D"))
    assert examples.texts.tolist() == [
        text
        for level in levels
        for text in [f"{level} {split} one."] * 8 + [f"{level} {split} two."] * 4
    ]
    seconds = ["What? tea", "What? honey", "What? air", "What? sand"]
    seconds += [f"Bees like {option} ." for option in "abcd"]
    seconds += [f"Who? {option}" for option in "wxyz"]
    assert examples.text_pairs.tolist() == seconds * len(levels)


def test_race_with_an_answer_that_is_no_option():
    import tensorflow_datasets as tfds

    def broken(builder, split=None, **arguments):
        answers = tf.ragged.constant([["B", "E"], ["A"]])
        rows = tf.data.Dataset.zip(
            race(builder, split), tf.data.Dataset.from_tensor_slices(answers)
        )
        return rows.map(lambda row, answers: {**row, "answers": answers})

    with tfds.testing.mock_data(as_dataset_fn=broken):
        with pytest.raises(InputError, match="prepared race/high. Received: .*ValueError"):
            load_from_tfds(TASKS["race-high"], "dev")


QUESTION = {"article": "Text.", "question": "What?", "options": ["x", "y", "z"]}


def write(path, *rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_questions_of_ones_own(tmp_path):
    rows = [{**QUESTION, "answer": "C"}, {**QUESTION, "question": "Is it _ ?", "answer": "A"}]
    path = write(tmp_path / "questions.jsonl", *rows)
    asked, examples = load_questions(path, LABELS, answered=True)
    assert asked == rows
    assert examples.labels.tolist() == [2, 0]
    assert examples.texts.tolist() == ["Text."] * 6
    assert examples.text_pairs[2:5].tolist() == ["What? z", "Is it x ?", "Is it y ?"]
    unanswered = write(tmp_path / "unanswered.jsonl", QUESTION)
    assert load_questions(unanswered, LABELS)[1].text_pairs.tolist() == [
        "What? x",
        "What? y",
        "What? z",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": ["x", "y"]}, r"q\.jsonl:1: expected a list of 3 'options'"),
        ({"options": "xyz"}, r"q\.jsonl:1: expected a list of 3 'options'"),
        ({"options": ["x", "", "z"]}, r"q\.jsonl:1: expected a text in 'options'"),
        ({"article": 5}, r"q\.jsonl:1: expected a text in 'article'"),
        ({"answer": "D"}, r"q\.jsonl:1: expected a label of .*'D'"),
        ({"answer": ["A"]}, r"q\.jsonl:1: expected a label of"),
    ],
)
def test_bad_questions_of_ones_own(tmp_path, changes, message):
    path = write(tmp_path / "q.jsonl", {**QUESTION, "answer": "A", **changes})
    with pytest.raises(InputError, match=message):
        load_questions(path, LABELS, answered=True)


def test_questions_without_what_they_need(tmp_path):
    path = write(tmp_path / "q.jsonl", QUESTION)
    with pytest.raises(InputError, match=r"q\.jsonl:1: expected a key 'answer'"):
        load_questions(path, LABELS, answered=True)
    with pytest.raises(InputError, match=r"q\.tsv: expected \.jsonl for questions"):
        load_questions(tmp_path / "q.tsv", LABELS)


@pytest.mark.data
@pytest.mark.parametrize(("split", "count"), [("train", 25_421), ("dev", 1_436)])
def test_real_race_middle(real_data, split, count):
    examples = load_from_tfds(TASKS["race-middle"], split, real_data / "tfds")
    assert len(examples) == count and len(examples.texts) == 4 * count
    # Each of the four is right about as often.
    assert (0.19 < np.bincount(examples.labels) / count).all()
    articles = examples.texts.reshape(count, 4)
    assert (articles == articles[:, :1]).all()
    options = examples.text_pairs.reshape(count, 4)
    distinct = np.mean([len(set(row)) == 4 for row in options])
    assert distinct > 0.99
