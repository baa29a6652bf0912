"""A run on questions, from tensorflow-datasets to the chosen option."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from training import toy

from commands.conftest import run_to_the_end
from commands.conftest import without_timing
from power_bert_tf.cli import main
from power_bert_tf.commands.evaluate import Evaluate
from power_bert_tf.commands.predict import Predict
from power_bert_tf.runs import choose as inference_choice
from power_bert_tf.runs.folder import RunFolder

pytestmark = pytest.mark.slow

OPTIONS = {
    "task": "race-middle",
    "train": None,
    "dev": None,
    "sequence-length": 14,
    "batch-size": 8,
    "learning-rate": 2e-2,
    "retention-learning-rate": 0.2,
    "strength": 0.05,
    "epochs": 1,
    "train-examples": 24,
    "dev-examples": 12,
    "group-by-length": True,
}


def race(builder, split=None, **arguments):
    """The toy's questions, one a passage, as RACE's builder gives them."""
    examples = toy.questions(32, seed=("train", "dev").index(split), choices=4)
    rows = examples.text_pairs.reshape(-1, 1, 4).tolist()
    columns = {
        "article": examples.texts[::4].tolist(),
        "questions": tf.ragged.constant([["it was _ so"]] * len(rows)),
        "options": tf.ragged.constant(rows),
        "answers": tf.ragged.constant([["ABCD"[label]] for label in examples.labels]),
        "example_id": [f"{index}.txt" for index in range(len(rows))],
    }
    return tf.data.Dataset.from_tensor_slices(columns)


@pytest.fixture(scope="module")
def prepared():
    import tensorflow_datasets as tfds

    with tfds.testing.mock_data(as_dataset_fn=race):
        yield


@pytest.fixture(scope="module")
def race_run(materials, prepared, tmp_path_factory):
    path = tmp_path_factory.mktemp("race") / "run"
    with toy.eagerly(), without_timing():
        return run_to_the_end(path, materials.fit(path, OPTIONS))


def test_the_run_counts_questions(race_run):
    report = race_run.json("report.json")
    assert (report["task"], report["metric"], report["choices"]) == ("race-middle", "accuracy", 4)
    assert report["examples"] == {"train": 24, "dev": 12}
    # Three batches of eight questions an epoch.
    assert race_run.json("search/masses.json")["steps"] == [0, 1, 2, 3]
    assert (12 * report["score"]["bert"]) % 1 == pytest.approx(0, abs=1e-9)
    text = (race_run.path / "report.md").read_text()
    assert "accuracy on 12 dev examples" in text and "An example is a question." in text


def test_the_run_keeps_how_texts_are_cut(race_run):
    task = race_run.json("settings.json")["identity"]["task"]
    assert (task["truncation"], task["choices"]) == ("only_first", 4)
    preprocessor = RunFolder.open(race_run.path).preprocessor()
    assert preprocessor.truncation == "only_first"
    row = preprocessor.encode(["film " * 20], ["it was good so"])[0][0]
    pieces = preprocessor.tokenizer.pieces(row)
    expected = ["[CLS]", *["film"] * 7, "[SEP]", *"it was good so".split(), "[SEP]"]
    assert pieces == expected


@pytest.mark.parametrize("step", ["fine-tune", "control", "re-train"])
def test_evaluate_gives_the_scores_of_the_report(race_run, capsys, step):
    assert main(["evaluate", str(race_run.path), "--step", step]) == 0
    score = race_run.json("report.json")["models"][step]["score"]
    printed = capsys.readouterr().out
    assert printed == f"accuracy {100 * score:.2f} on 12 dev examples ({step})\n"


QUESTIONS = [
    {"article": "a film", "question": "it was _ so", "options": ["bad", "good", "bad", "a"]},
    {"article": "the plot was bad", "question": "it was", "options": ["good", "bad", "it", "so"]},
]


@pytest.fixture(scope="module")
def answers(race_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("questions") / "questions.jsonl"
    path.write_text("".join(f"{json.dumps(each)}\n" for each in QUESTIONS))
    output = path.with_name("answers.jsonl")
    assert Predict(race_run.path, input=path, output=output).execute() == len(QUESTIONS)
    return [json.loads(line) for line in output.read_text().splitlines()]


def test_predict_says_the_option(race_run, answers):
    run = RunFolder.open(race_run.path)
    model, preprocessor = run.finished_step().load_model(), run.preprocessor()
    for asked, answer in zip(QUESTIONS, answers, strict=True):
        blank = "_" in asked["question"]
        seconds = [
            asked["question"].replace("_", option) if blank else f"{asked['question']} {option}"
            for option in asked["options"]
        ]
        scores = np.asarray(model(preprocessor([asked["article"]] * 4, seconds)))[:, 0]
        shares = np.exp(scores) / np.exp(scores).sum()
        best = int(scores.argmax())
        assert (answer["question"], answer["options"]) == (asked["question"], asked["options"])
        assert (answer["label"], answer["answer"]) == ("ABCD"[best], asked["options"][best])
        assert list(answer["probabilities"].values()) == pytest.approx(shares, abs=1e-4)


def test_predict_takes_a_question_on_the_command_line(race_run, answers, capsys):
    asked = QUESTIONS[0]
    words = [asked["article"], asked["question"], *asked["options"]]
    assert main(["predict", str(race_run.path), *words]) == 0
    assert json.loads(capsys.readouterr().out) == answers[0]
    assert main(["predict", str(race_run.path), *words[:-1]]) == 2
    assert "an article, a question and 4 options. Received: 5" in capsys.readouterr().err


def test_evaluate_takes_questions_of_ones_own(race_run, answers, tmp_path):
    path = tmp_path / "questions.jsonl"
    right = [answer["label"] for answer in answers]
    wrong = ["ABCD"[("ABCD".index(right[0]) + 1) % 4], right[1]]
    for labels, score in ((right, 1.0), (wrong, 0.5)):
        rows = [{**asked, "answer": label} for asked, label in zip(QUESTIONS, labels, strict=True)]
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        assert Evaluate(race_run.path, path).execute() == score


def test_questions_have_no_glue_files(race_run, tmp_path, capsys):
    arguments = ["predict", str(race_run.path), "--glue", "--output", str(tmp_path / "glue")]
    assert main(arguments) == 2
    assert "`glue` goes with runs of GLUE's tasks. Received: 'race-middle'" in (
        capsys.readouterr().err
    )
    assert list(tmp_path.iterdir()) == []


def test_the_fastest_way_is_found_by_the_score_of_questions(race_run, tmp_path, monkeypatch):
    run = shutil.copytree(race_run.path, tmp_path / "run")
    mode = {"runtime": "tensorflow", "dtype": "float32", "jit_compile": False}
    monkeypatch.setattr(inference_choice, "usable_modes", lambda: [mode])
    monkeypatch.setattr(inference_choice, "_has_int8", lambda folder: False)
    every = {"packed rows": {}, "padded to N": {"lengths": [14]}}
    monkeypatch.setattr(inference_choice, "forms", lambda length, packs, most: every)
    result = inference_choice.choose(RunFolder.open(run), batch_size=48, runs=1, most_drop=0.1)
    expected = race_run.json("report.json")["score"]["reduced"]
    assert [each["score"] for each in (*result["modes"], *result["forms"])] == [expected] * (
        1 + len(result["forms"])
    )
    assert Evaluate(run).execute() == expected
