"""Small files in the formats that the authors published."""

import json

import pytest

from power_bert_tf.data import get_task
from power_bert_tf.data import load_published
from power_bert_tf.errors import InputError


@pytest.fixture
def topics(tmp_path):
    rows = [f'"{1 + index % 4}","Title {index}","Some ""text"", and more."' for index in range(10)]
    (tmp_path / "train.csv").write_text("".join(f"{row}\n" for row in rows))
    (tmp_path / "test.csv").write_text('"4","A","B"\n"1","C",""\n')
    return tmp_path


def test_topics(topics):
    task = get_task("AG News")
    test = load_published(task, "test", topics)
    assert test.texts.tolist() == ["A B", "C"] and test.labels.tolist() == [3, 0]
    assert test.text_pairs is None and test.label_names[3] == "Sci/Tech"
    train, dev = (load_published(task, split, topics) for split in ("train", "dev"))
    assert (len(train), len(dev)) == (8, 2)
    assert not set(train.texts) & set(dev.texts)
    assert 'Title 3 Some "text", and more.' in {*train.texts, *dev.texts}
    again = load_published(task, "dev", topics)
    assert again.fingerprint() == dev.fingerprint()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('"5","A","B"\n', "test.csv:1: .*'5'"),
        ('"1","A"\n', "test.csv:1: expected class, title and text. Received: 2 columns"),
    ],
)
def test_topics_that_are_malformed(topics, content, expected):
    (topics / "test.csv").write_text(content)
    with pytest.raises(InputError, match=expected):
        load_published(get_task("agnews"), "test", topics)


@pytest.fixture
def hatexplain(tmp_path):
    def post(words, *labels):
        return {"post_tokens": words.split(), "annotators": [{"label": each} for each in labels]}

    posts = {
        "1": post("so nice", "normal", "normal", "offensive"),
        "2": post("who knows", "normal", "offensive", "hatespeech"),
        "3": post("all bad", "hatespeech", "hatespeech", "hatespeech"),
        "4": post("quite bad", "normal", "offensive", "offensive"),
    }
    (tmp_path / "dataset.json").write_text(json.dumps(posts))
    divisions = {"train": ["1", "2"], "val": ["3"], "test": ["4"]}
    (tmp_path / "post_id_divisions.json").write_text(json.dumps(divisions))
    return tmp_path


def test_hatexplain_by_the_majority(hatexplain):
    task = get_task("hatexplain")
    found = {
        split: [
            (text, task.labels[label])
            for text, label in zip(examples.texts, examples.labels, strict=True)
        ]
        for split in ("train", "dev", "test")
        if (examples := load_published(task, split, hatexplain))
    }
    assert found == {
        "train": [("so nice", "normal")],
        "dev": [("all bad", "hatespeech")],
        "test": [("quite bad", "offensive")],
    }


def test_hatexplain_that_is_malformed(hatexplain):
    (hatexplain / "dataset.json").write_text('{"1": {}}')
    with pytest.raises(InputError, match="must hold each post with .*: 1, without 'annotators'"):
        load_published(get_task("hatexplain"), "train", hatexplain)


def test_hatexplain_without_a_split(hatexplain):
    (hatexplain / "post_id_divisions.json").write_text('{"train": []}')
    with pytest.raises(InputError, match="post_id_divisions.json must have .*Received: train"):
        load_published(get_task("hatexplain"), "dev", hatexplain)


def write_eraser(folder, documents, *annotations):
    lines = "".join(f"{json.dumps(each)}\n" for each in annotations)
    (folder / "val.jsonl").write_text(lines)
    rows = [{"docid": name, "text": text} for name, text in documents.items()]
    (folder / "docs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_movie_reviews(tmp_path):
    write_eraser(
        tmp_path,
        {"a": "so good .", "b": "so bad ."},
        {
            "annotation_id": "b",
            "classification": "NEG",
            "evidences": [[{"docid": "b", "start_token": 1, "end_token": 2, "text": "bad"}]],
        },
        {"annotation_id": "a", "classification": "POS", "evidences": []},
    )
    found = load_published(get_task("movies"), "dev", tmp_path)
    assert found.texts.tolist() == ["so bad .", "so good ."]
    assert found.labels.tolist() == [0, 1] and found.text_pairs is None


def test_multirc_is_about_pairs(tmp_path):
    question = {"annotation_id": "a:0:1", "classification": "True", "query": "how? || good"}
    write_eraser(tmp_path, {"a": "so good ."}, {**question, "evidences": []})
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a").write_text("from the folder")
    found = load_published(get_task("multirc"), "dev", tmp_path)
    assert (found.texts[0], found.text_pairs[0]) == ("from the folder", "how? || good")


def test_a_document_that_is_missing(tmp_path):
    write_eraser(
        tmp_path, {"a": "x"}, {"annotation_id": "z", "classification": "NEG", "evidences": []}
    )
    with pytest.raises(InputError, match="val.jsonl:1: .*'z'"):
        load_published(get_task("movies"), "dev", tmp_path)


def test_an_annotation_that_lacks_a_key(tmp_path):
    write_eraser(tmp_path, {"a": "x"}, {"annotation_id": "a", "evidences": []})
    with pytest.raises(InputError, match="val.jsonl:1: expected a key 'classification'"):
        load_published(get_task("movies"), "dev", tmp_path)


def test_a_task_of_other_files(tmp_path):
    with pytest.raises(InputError, match="must be published in such files. Received: 'sst2'"):
        load_published(get_task("sst2"), "train", tmp_path)


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("dbpedia", "train.csv"),
        ("hatexplain", "dataset.json"),
        ("movies", "train.jsonl"),
    ],
)
def test_files_that_are_missing(tmp_path, task, name):
    with pytest.raises(InputError, match=f"--data-dir .*must hold {name}. Received: "):
        load_published(get_task(task), "train", tmp_path)


@pytest.mark.data
def test_the_real_movie_reviews(real_data):
    folder = real_data / "data" / "eraser-movies"
    counts = {
        split: len(load_published(get_task("movies"), split, folder))
        for split in ("train", "dev", "test")
    }
    assert counts == {"train": 1600, "dev": 200, "test": 199}
