import re

import pytest

import power_bert_tf as pb
from power_bert_tf.cli import main
from power_bert_tf.commands.evaluate import Evaluate
from power_bert_tf.runs.folder import RunFolder


@pytest.mark.parametrize(
    ("step", "name"), [("re-train", "reduced"), ("fine-tune", "bert"), ("search", None)]
)
def test_scores_are_those_of_the_report(finished_run, capsys, step, name):
    assert main(["evaluate", str(finished_run.path), "--step", step, "--batch-size", "7"]) == 0
    if name is None:
        expected = finished_run.json("search/metrics.json")["score"]
    else:
        expected = finished_run.json("report.json")["score"][name]
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"accuracy {100 * expected:.2f} on 32 dev examples ({step})"
    # And how each class does: a row for each, and how well it knows what it knows.
    assert printed[2].split() == ["class", "examples", "precision", "recall", "F1"]
    assert [line.split()[:2] for line in printed[4:6]] == [["negative", "17"], ["positive", "15"]]
    assert f"points ({step})." in printed[7]


@pytest.mark.slow
def test_another_retention_configuration_is_measured_without_retraining(finished_run, capsys):
    run = RunFolder.open(finished_run.path)
    texts = run.dev()

    def printed(step, retention):
        arguments = ["evaluate", str(finished_run.path), "--step", step, "--retention", retention]
        assert main(arguments) == 0
        pattern = rf"accuracy ([\d.]+) on 32 dev examples \({step}, {retention}, not trained so\)\n"
        return float(re.match(pattern, capsys.readouterr().out)[1])

    def expected(step, retention):
        model = run.finished_step(step).load_model().with_reduction(pb.Extraction(retention))
        outputs = model.predict(run.preprocessor()(texts.texts), verbose=0)
        return pytest.approx(100 * (outputs.argmax(1) == texts.labels).mean(), abs=0.01)

    report = finished_run.json("report.json")
    assert printed("re-train", report["configuration"]["text"]) == pytest.approx(
        100 * report["score"]["reduced"], abs=0.01
    )
    for retention in ("12,12", "2,1", "12,6 of 12"):
        assert printed("fine-tune", retention) == expected("fine-tune", retention)


def test_examples_of_ones_own(finished_run, tmp_path):
    """Right once and wrong once, by what is known of the run: it has learnt the task."""
    path = tmp_path / "own.jsonl"
    path.write_text(
        '{"text": "so good a film", "label": "positive"}\n'
        '{"text": "so good a film", "label": "negative"}\n'
    )
    assert Evaluate(finished_run.path, examples=path).execute() == 0.5


def test_pairs(pairs_run):
    score = Evaluate(pairs_run.path).execute()
    assert score == pytest.approx(pairs_run.json("report.json")["score"]["reduced"])
