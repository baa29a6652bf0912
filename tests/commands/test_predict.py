import json

import pytest
from training import toy

from power_bert_tf.cli import main
from power_bert_tf.commands.predict import Predict
from power_bert_tf.runs.folder import RunFolder

TEXTS = ["the film was so good", "bad", "a plot and a film so bad it was"]


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def expected(run, *texts, step="re-train"):
    """What Keras itself says."""
    run = RunFolder.open(run.path)
    outputs = run.finished_step(step).load_model()(run.preprocessor()(*texts))
    return [dict(zip(toy.LABELS, map(float, row), strict=True)) for row in outputs]


@pytest.fixture(scope="module")
def answers(finished_run):
    return Predict(finished_run.path, TEXTS).execute()


def test_texts_on_the_command_line(finished_run, answers, capsys):
    assert main(["predict", str(finished_run.path), *TEXTS]) == 0
    assert lines(capsys.readouterr().out) == answers
    assert [answer["text"] for answer in answers] == TEXTS
    assert [answer["label"] for answer in answers] == ["positive", "negative", "negative"]
    for answer, probabilities in zip(answers, expected(finished_run, TEXTS), strict=True):
        assert set(answer) == {"text", "label", "probabilities"}
        assert answer["probabilities"] == pytest.approx(probabilities, abs=1e-5)


def test_texts_in_a_file(finished_run, answers, tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("".join(f"{text}\n" for text in TEXTS))
    (tmp_path / "texts.tsv").write_text("\n".join(["id\ttext", *(f"1\t{text}" for text in TEXTS)]))
    for name in ("texts.txt", "texts.tsv"):
        output = tmp_path / "new" / f"{name}.jsonl"
        arguments = ["--input", str(tmp_path / name), "--output", str(output)]
        assert main(["predict", str(finished_run.path), *arguments]) == 0
        assert capsys.readouterr().out == ""
        # With all that a row holds.
        beside = {} if name == "texts.txt" else {"id": "1"}
        assert lines(output.read_text()) == [{**beside, **answer} for answer in answers]


def test_the_fine_tuned_bert_answers_too(finished_run, capsys):
    assert main(["predict", str(finished_run.path), *TEXTS, "--step", "fine-tune"]) == 0
    bert = expected(finished_run, TEXTS, step="fine-tune")
    for answer, probabilities in zip(lines(capsys.readouterr().out), bert, strict=True):
        assert answer["probabilities"] == pytest.approx(probabilities, abs=1e-5)


def test_pairs_two_at_a_time_and_in_a_file(pairs_run, tmp_path, capsys):
    firsts, seconds = ["a good film", "bad"], ["so good", "a plot so good it was"]
    flat = [text for pair in zip(firsts, seconds, strict=True) for text in pair]
    assert main(["predict", str(pairs_run.path), *flat]) == 0
    answers = lines(capsys.readouterr().out)
    assert [(answer["text"], answer["text_pair"]) for answer in answers] == list(
        zip(firsts, seconds, strict=True)
    )
    for answer, probabilities in zip(answers, expected(pairs_run, firsts, seconds), strict=True):
        assert answer["probabilities"] == pytest.approx(probabilities, abs=1e-5)
    rows = [json.dumps({"text": a, "text_pair": b}) for a, b in zip(firsts, seconds, strict=True)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(rows))
    assert main(["predict", str(pairs_run.path), "--input", str(tmp_path / "pairs.jsonl")]) == 0
    assert lines(capsys.readouterr().out) == answers


def test_a_run_on_ones_own_file_has_no_glue_files(pairs_run, tmp_path, capsys):
    arguments = ["predict", str(pairs_run.path), "--glue", "--output", str(tmp_path / "glue")]
    assert main(arguments) == 2
    assert "`glue` goes with runs of GLUE's tasks" in capsys.readouterr().err


def test_questions_and_older_answers_are_not_replaced(tmp_path, capsys):
    questions, answers = tmp_path / "w.txt", tmp_path / "answers.jsonl"
    for path in (questions, answers):
        path.write_text("kept\n")
    command = ["predict", str(tmp_path), "--input", str(questions), "--output"]
    for given in ([str(questions)], [str(questions), "--overwrite"]):
        assert main([*command, *given]) == 2
        assert "`output` must be another file than `input`" in capsys.readouterr().err
    assert main([*command, str(answers)]) == 2
    assert f"{answers} is there already: --overwrite replaces it" in capsys.readouterr().err
    # Then it is the run that is missing.
    assert main([*command, str(answers), "--overwrite"]) == 2
    assert "is there already" not in capsys.readouterr().err
    assert questions.read_text() == answers.read_text() == "kept\n"


def test_pictures_are_not_replaced(tmp_path, capsys):
    (tmp_path / "there.png").write_text("kept")
    command = ["explain", str(tmp_path / "run"), "a", "--picture", str(tmp_path / "there.png")]
    assert main(command) == 2
    assert "is there already: --overwrite replaces it" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 2
    assert "is there already" not in capsys.readouterr().err
