"""MNLI from GLUE's files: one training, two development sets, three files for the server."""

import shutil

import numpy as np
import pytest
from glue_specification import check_file
from training import toy

from commands.conftest import run_to_the_end
from commands.conftest import without_timing
from power_bert_tf.cli import main
from power_bert_tf.runs.folder import RunFolder
from power_bert_tf.training.metrics import task_score

pytestmark = pytest.mark.slow

OPTIONS = {
    "task": "mnli",
    "train": None,
    "dev": None,
    "sequence-length": 16,
    "batch-size": 8,
    "learning-rate": 2e-2,
    "retention": "9,4 of 16",
    "epochs": 1,
    "dev-examples": 9,
}
LABELS = ("entailment", "neutral", "contradiction")
FILLED = ["x"] * 8
HEADER = ["index", *(f"column{number}" for number in range(7)), "sentence1", "sentence2"]


def write(path, examples, labelled=True, filled=True):
    """Pairs as a file of MNLI's columns, or of AX', with indices that go down."""
    lines = []
    for row, (first, second) in enumerate(zip(examples.texts, examples.text_pairs, strict=True)):
        index = len(examples) - 1 - row
        label = [LABELS[(len(first) + len(second)) % 3]] if labelled else []
        lines.append([str(index), *(FILLED[1:] if filled else []), first, second, *label])
    header = [*(HEADER if filled else [HEADER[0], *HEADER[-2:]]), *["gold_label"][:labelled]]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(line) + "\n" for line in [header, *lines]))


@pytest.fixture(scope="module")
def glue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glue")
    write(folder / "MNLI/train.tsv", toy.examples(24, seed=1, pairs=True))
    write(folder / "MNLI/dev_matched.tsv", toy.examples(12, seed=2, pairs=True))
    write(folder / "MNLI/dev_mismatched.tsv", toy.examples(10, seed=3, pairs=True))
    write(folder / "MNLI/test_matched.tsv", toy.examples(5, seed=4, pairs=True), labelled=False)
    write(folder / "MNLI/test_mismatched.tsv", toy.examples(4, seed=5, pairs=True), labelled=False)
    diagnostic = toy.examples(3, seed=6, pairs=True)
    write(folder / "diagnostic/diagnostic.tsv", diagnostic, labelled=False, filled=False)
    return folder


@pytest.fixture(scope="module")
def mnli_run(materials, glue, tmp_path_factory):
    path = tmp_path_factory.mktemp("mnli") / "run"
    with toy.eagerly(), without_timing():
        return run_to_the_end(path, materials.fit(path, {**OPTIONS, "data-dir": glue}))


def keras_outputs(run, step, texts, text_pairs):
    run = RunFolder.open(run.path)
    inputs = run.preprocessor()(list(texts), list(text_pairs))
    return np.asarray(run.finished_step(step).load_model()(inputs))


def test_the_report_measures_both_dev_sets(mnli_run):
    report = mnli_run.json("report.json")
    assert (report["task"], report["examples"]["dev"]) == ("mnli-m", 9)
    assert set(report["further"]) == {"mnli-mm"}
    other = report["further"]["mnli-mm"]
    assert other["examples"] == 9
    examples = toy.examples(10, seed=3, pairs=True)
    labels = [
        (len(first) + len(second)) % 3
        for first, second in zip(examples.texts, examples.text_pairs, strict=True)
    ]
    chosen = np.sort(np.random.RandomState([0]).permutation(10)[:9])
    scores = {
        name: task_score(
            "accuracy",
            np.array(labels)[chosen],
            keras_outputs(mnli_run, step, examples.texts[chosen], examples.text_pairs[chosen]),
        )
        for name, step in (("bert", report["bert"]), ("reduced", "re-train"))
    }
    assert {name: other["score"][name] for name in scores} == scores
    drop = 100 * (scores["bert"] - scores["reduced"])
    assert other["score"]["drop_points"] == pytest.approx(drop)
    text = (mnli_run.path / "report.md").read_text()
    assert "On the 9 dev examples of mnli-mm, by which nothing was chosen: " in text
    assert "\nmnli-mm, accuracy on 9 dev examples: " in mnli_run.printed


def test_evaluate_measures_both(mnli_run, capsys):
    assert main(["evaluate", str(mnli_run.path)]) == 0
    report = mnli_run.json("report.json")
    own, other = (each["score"]["reduced"] for each in (report, report["further"]["mnli-mm"]))
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("accuracy")] == [
        f"accuracy {100 * own:.2f} on 9 dev examples (re-train)",
        f"accuracy {100 * other:.2f} on 9 mnli-mm examples (re-train)",
    ]


FILES = {"MNLI-m.tsv": (5, 4), "MNLI-mm.tsv": (4, 5), "AX.tsv": (3, 6)}


def test_predict_writes_what_the_server_takes(mnli_run, tmp_path, capsys):
    """The run knows where its examples are."""
    folder = tmp_path / "new" / "glue"
    assert main(["predict", str(mnli_run.path), "--glue", "--output", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == set(FILES)
    printed = capsys.readouterr().out
    for name, (count, seed) in FILES.items():
        predictions = check_file(name, (folder / name).read_text(), range(count - 1, -1, -1))
        examples = toy.examples(count, seed=seed, pairs=True)
        outputs = keras_outputs(mnli_run, "re-train", examples.texts, examples.text_pairs)
        assert predictions == [LABELS[label] for label in outputs.argmax(axis=1)]
        assert f"{folder / name}: {count} answers; the server expects " in printed


def test_ax_may_be_missing_but_not_the_task_itself(mnli_run, glue, tmp_path, capsys):
    data = shutil.copytree(glue, tmp_path / "data")
    shutil.rmtree(data / "diagnostic")
    arguments = ["predict", str(mnli_run.path), "--glue", "--data-dir", str(data)]
    assert main([*arguments, "--output", str(tmp_path / "one")]) == 0
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"MNLI-m.tsv", "MNLI-mm.tsv"}
    assert "No AX.tsv: there is neither diagnostic/diagnostic.tsv nor " in capsys.readouterr().out
    (data / "MNLI/test_matched.tsv").unlink()
    assert main([*arguments, "--output", str(tmp_path / "two")]) == 2
    assert "must hold MNLI/test_matched.tsv" in capsys.readouterr().err
    assert not (tmp_path / "two").exists()


def test_a_dev_set_that_is_missing_is_found_before_training(materials, glue, tmp_path, capsys):
    data = shutil.copytree(glue, tmp_path / "data")
    (data / "MNLI/dev_mismatched.tsv").unlink()
    output = tmp_path / "run"
    assert main(materials.fit(output, {**OPTIONS, "data-dir": data})) == 2
    assert "must hold MNLI/dev_mismatched.tsv" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--glue"], "`output` must be given with `glue`"),
        (["text", "--glue", "--output", "x"], "give either `texts` or `input`, or `glue`"),
        (["text", "other", "--data-dir", "x"], "`data_dir` and `tfds_dir` go with `glue`"),
        (
            ["--glue", "--output", "x", "--data-dir", "x", "--tfds-dir", "x"],
            "give `tfds_dir` or `data_dir`, not both",
        ),
    ],
)
def test_options_that_do_not_go_together(
    mnli_run, monkeypatch, tmp_path, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", str(mnli_run.path), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
