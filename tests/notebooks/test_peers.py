"""The comparison of libraries: what each is given, and what is written down."""

import json
import re
import sys

import numpy as np
import pytest

from notebooks import scripts
from power_bert_tf.deploy import processor
from power_bert_tf.modeling import EncoderConfig


@pytest.fixture
def peers(monkeypatch):
    # The script sets it for other libraries; here it is to be gone again.
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "error")
    monkeypatch.syspath_prepend(scripts.FOLDER)
    return scripts.load("peers")


@pytest.fixture
def given(peers, monkeypatch):
    """Libraries that answer at once; the inputs that each peer was given."""
    given = {}

    def fake(kind, dtype, arguments):
        inputs = given[f"{kind}-{dtype}"] = []
        return inputs.append

    def other(kind, dtype, arguments):
        return fake("other", dtype, arguments)

    libraries = {
        "fake-bert-float32": (fake, "bert", "float32"),
        "fake-bert-bfloat16": (fake, "bert", "bfloat16"),
        "fake-power-bert-float32": (fake, "power-bert", "float32"),
        "other-bert-float32": (other, "bert", "float32"),
    }
    monkeypatch.setattr(peers, "PEERS", libraries)
    monkeypatch.setattr(peers, "PACKAGES", {fake: ("numpy",), other: ("no-such-package",)})
    return given


@pytest.fixture
def lengths(tmp_path):
    path = tmp_path / "lengths.txt"
    path.write_text("\n".join(["3", "14"] * 4 + ["14"] * 4 + ["40"] * 2))
    return path


def run(peers, monkeypatch, output, *arguments):
    command = ["peers.py", "--output", output, "--sequence-length", "24", *arguments]
    monkeypatch.setattr(sys, "argv", [str(each) for each in command])
    peers.main()
    return json.loads(output.read_text())


def test_every_library_has_its_packages(peers):
    assert {library for library, _, _ in peers.PEERS.values()} == set(peers.PACKAGES)


def test_the_ways_of_batches(peers, given, lengths, tmp_path, monkeypatch, capsys):
    options = ["--lengths", lengths, "--batch-size", "4", "--runs", "2"]
    names = ["fake-bert", "fake-power-bert-float32"]
    result = run(
        peers, monkeypatch, tmp_path / "a.json", *options, "--retention", "9,4", "--peers", *names
    )
    assert set(given) == {"bert-float32", "bert-bfloat16", "power-bert-float32"}
    for inputs in given.values():
        shapes = [batch["token_ids"].shape for batch in inputs]
        assert max(rows for rows, _ in shapes) == 4
        # One round unmeasured and two measured; in each all 14 texts in every way.
        rows = {length: 0 for length in (3, 14, 24)}
        words = []
        for batch, (count, length) in zip(inputs, shapes, strict=True):
            rows[length] += count
            words.extend(batch["padding_mask"].sum(axis=1))
            assert (batch["token_ids"] >= 1000).sum() == batch["padding_mask"].sum()
        # Sorted four are short and two long; as they come, none is alone with its like.
        assert rows == {3: 3 * 4, 14: 3 * (8 + 12), 24: 3 * (2 + 2 + 14)}
        # What is longer than N is cut.
        assert sorted(words) == [3] * 36 + [14] * 72 + [24] * 18
    assert result["mean_length"] == pytest.approx((4 * 3 + 8 * 14 + 2 * 24) / 14)
    assert (result["sequence_length"], result["batch_size"]) == (24, 4)
    assert (result["texts"], result["runs"], result["retention"]) == (14, 2, "9,4")
    assert result["cpu"] == processor.cpu()
    assert result["versions"] == {"numpy": np.__version__}
    assert set(result["seconds"]) == {f"fake-{name}: {way}" for name in given for way in peers.WAYS}


def test_the_table_has_what_was_measured(peers, given, lengths, tmp_path, monkeypatch, capsys):
    def measured(work, budget, least_runs, most_runs):
        assert (least_runs, most_runs) == (3, 3)
        return {key: np.array([1.0, 2.0, 3.0]) * (1 + list(work).index(key)) for key in work}

    monkeypatch.setattr(peers, "interleaved_seconds", measured)
    options = ["--lengths", lengths, "--texts", "10", "--runs", "3", "--ways", "padded", "sorted"]
    result = run(peers, monkeypatch, tmp_path / "a.json", *options, "--peers", "fake-bert-bfloat16")
    assert result["seconds"] == {
        "fake-bert-bfloat16: padded": {"p5": 1.1, "median": 2.0, "p95": pytest.approx(2.9)},
        "fake-bert-bfloat16: sorted": {"p5": 2.2, "median": 4.0, "p95": pytest.approx(5.8)},
    }
    header, ways, _, row = capsys.readouterr().out.splitlines()
    assert header.startswith("N = 24, mean length ") and "10 texts, 3 runs" in header
    assert ways.split() == ["padded", "sorted"]
    # Milliseconds a text, of ten.
    assert row.split() == ["fake-bert-bfloat16", "200.00", "400.00"]


def test_without_lengths_nothing_is_padding(peers, given, tmp_path, monkeypatch):
    options = ["--batch-size", "3", "--runs", "1", "--peers", "fake"]
    result = run(peers, monkeypatch, tmp_path / "a.json", *options)
    # PoWER-BERT needs --retention.
    assert set(result["seconds"]) == {"fake-bert-float32: padded", "fake-bert-bfloat16: padded"}
    assert [batch["padding_mask"].tolist() for batch in given["bert-float32"]] == 2 * [
        [[1] * 24] * 3
    ]


def test_from_texts(peers, given, lengths, tmp_path, monkeypatch, capsys):
    pytest.importorskip("tokenizers")
    vocabulary = tmp_path / "vocab.txt"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "##s", ".", "one", "two", "three"]
    vocabulary.write_text("\n".join(pieces) + "\n")
    strings = []

    def static(kind, dtype, arguments):
        return strings.append

    monkeypatch.setattr(peers, "model2vec", static)
    monkeypatch.setitem(peers.PACKAGES, static, ("numpy",))
    # One has the tokenizer of the package, the other that of `tokenizers`.
    monkeypatch.setattr(peers, "ours", peers.PEERS["fake-bert-float32"][0])
    library = peers.PEERS["other-bert-float32"][0]
    monkeypatch.setitem(peers.PEERS, "theirs", (library, "bert", "float32"))
    monkeypatch.setitem(peers.PEERS, "static", (static, "static", "float32"))
    monkeypatch.setitem(peers.PACKAGES, library, ("numpy",))
    options = ["--lengths", lengths, "--batch-size", "4", "--runs", "1", "--ways", "sorted"]
    names = ["fake-bert-float32", "theirs", "static"]
    result = run(
        peers,
        monkeypatch,
        tmp_path / "a.json",
        *options,
        "--vocabulary",
        vocabulary,
        "--peers",
        *names,
    )
    assert set(result["seconds"]) == {
        *(f"{name}: {way}" for name in names[:2] for way in ("sorted", "from texts")),
        "static: from texts",
    }
    words = [sorted(len(text.split()) + 2 for text in texts) for texts in strings]
    assert words == 2 * [[3] * 4 + [14] * 8 + [24] * 2]
    for inputs in given.values():
        # Both ways have batches of the same shapes; from texts they are of words.
        known = [batch for batch in inputs if batch["token_ids"].max() < len(pieces)]
        assert len(inputs) == 2 * len(known)
        assert sorted(sum((batch["padding_mask"].sum(1).tolist() for batch in known), [])) == (
            sorted(2 * words[0])
        )
        assert {2, 3} <= set(np.unique(known[0]["token_ids"])) and all(
            1 not in batch["token_ids"] for batch in known
        )
    *_, static_row = capsys.readouterr().out.splitlines()
    assert static_row.split()[0] == "static" and len(static_row.split()) == 2


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["fake-bert", "fakd"], "--peers must be among fake-bert-float32, .*Received: fakd"),
        (["fake-power-bert-float32"], "power-bert goes with --retention"),
        (["fake-bert", "other"], "needs the package no-such-package"),
        # All of them.
        ([""], "needs the package no-such-package"),
    ],
)
def test_refuses_before_anything_is_built(
    peers, given, names, message, tmp_path, monkeypatch, capsys
):
    with pytest.raises(SystemExit) as stopped:
        run(peers, monkeypatch, tmp_path / "a.json", "--peers", *names)
    assert stopped.value.code == 2
    error = " ".join(capsys.readouterr().err.split())
    assert re.search(message, error)
    assert not given and not (tmp_path / "a.json").exists()


@pytest.mark.slow
def test_ours(peers, tmp_path, monkeypatch):
    pytest.importorskip("nncf")
    answers = {}

    def measured(work, *rounds):
        answers.update({name: np.concatenate(list(steps())) for (name, _), steps in work.items()})
        return dict.fromkeys(work, np.ones(1))

    tiny = EncoderConfig.of_size("bert-tiny")
    monkeypatch.setattr(EncoderConfig, "of_size", lambda name: tiny)
    monkeypatch.setattr(peers, "interleaved_seconds", measured)
    names = ["ours-bert-float32", "ours-power-bert-float32", "ours-bert-int8"]
    options = ["--retention", "9,4", "--batch-size", "2", "--peers", *names]
    result = run(peers, monkeypatch, tmp_path / "a.json", *options)
    assert set(result["seconds"]) == {f"{name}: padded" for name in names}
    assert set(result["versions"]) == {"keras", "nncf", "openvino", "tensorflow"}
    # Of the same weights; one reads fewer words, one multiplies in 8 bits.
    bert, power, int8 = (answers[name] for name in names)
    assert 0 < np.abs(bert - int8).max() < 0.1
    assert bert.shape == (2, 2) and 0 < np.abs(bert - power).max() < 0.5
