import pytest

from power_bert_tf.cli import main
from power_bert_tf.commands.evaluate import Evaluate


@pytest.mark.parametrize(
    ("step", "name"), [("re-train", "power_bert"), ("fine-tune", "bert"), ("search", None)]
)
def test_scores_are_those_of_the_report(finished_run, capsys, step, name):
    assert main(["evaluate", str(finished_run.path), "--step", step, "--batch-size", "7"]) == 0
    if name is None:
        expected = finished_run.json("search/metrics.json")["score"]
    else:
        expected = finished_run.json("report.json")["score"][name]
    assert capsys.readouterr().out == f"accuracy {100 * expected:.2f} on 32 examples ({step})\n"


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
    assert score == pytest.approx(pairs_run.json("report.json")["score"]["power_bert"])
