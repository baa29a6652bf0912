import collections
import dataclasses
import gzip
import json
import re

import numpy as np
import pytest
import tensorflow as tf

from power_bert_tf.data import TASKS
from power_bert_tf.data import Columns
from power_bert_tf.data import Examples
from power_bert_tf.data import iterate_texts
from power_bert_tf.data import load_from_file
from power_bert_tf.data import load_from_tfds
from power_bert_tf.data import load_from_tsv
from power_bert_tf.data import load_texts
from power_bert_tf.data import user_task
from power_bert_tf.errors import InputError


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(examples):
    pairs = [None] * len(examples) if examples.text_pairs is None else examples.text_pairs
    return list(zip(examples.texts, pairs, examples.labels.tolist(), strict=True))


# Examples


def test_examples():
    examples = Examples(["a", "b", "c"], None, [0, 1, 1], ("no", "yes"))
    assert len(examples) == 3
    assert examples.texts.dtype == object
    assert examples.labels.dtype == np.int32
    assert Examples(["a"], ["b"], [0.5], ()).labels.dtype == np.float32


def test_take():
    examples = Examples([str(i) for i in range(100)], None, list(range(100)), map(str, range(100)))
    some = examples.take(10, seed=1)
    assert len(some) == 10
    assert some.labels.tolist() == sorted(some.labels.tolist())
    assert some.texts.tolist() == [str(label) for label in some.labels]
    assert some.fingerprint() == examples.take(10, seed=1).fingerprint()
    assert some.fingerprint() != examples.take(10, seed=2).fingerprint()
    assert examples.take(1000, seed=1).fingerprint() == examples.fingerprint()


def test_fingerprint_is_that_of_the_content():
    examples = Examples(["ab", "c"], None, [0, 1], ("x", "y"))
    others = [
        Examples(["a", "bc"], None, [0, 1], ("x", "y")),
        Examples(["ab", "c"], None, [1, 0], ("x", "y")),
        Examples(["ab", "c"], None, [0, 1], ("y", "x")),
        Examples(["ab", "c"], ["", ""], [0, 1], ("x", "y")),
        Examples(["c", "ab"], None, [0, 1], ("x", "y")),
        Examples(["ab", "c"], None, [0, 1], ()),
    ]
    assert len({other.fingerprint() for other in [examples, *others]}) == 7
    # The same in any process and any version: a run folder remembers it.
    assert examples.fingerprint() == (
        "103fec41803ae6fb973bf3947411f726cf8a3d22368c0b93b40df31ea8e700d4"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], None, [0, 1], ("x", "y")), "one entry each per example"),
        ((["a"], ["b", "c"], [0], ("x", "y")), "one entry each per example"),
        ((["a"], None, ["x"], ("x", "y")), "integers from 0 to 1"),
        ((["a", "b"], None, [0, 2], ("x", "y")), "integers from 0 to 1. Received: .*2.* index 1"),
        ((["a"], None, [-1], ("x", "y")), "integers from 0 to 1"),
        ((["a"], None, [0.0], ("x", "y")), "integers from 0 to 1"),
        ((["a"], None, [np.nan], ()), "finite numbers"),
        ((["a"], None, ["x"], ()), "one entry each per example"),
        (([1], None, [0], ("x", "y")), "Unicode strings"),
        ((["\ud800"], None, [0], ("x", "y")), "Unicode strings"),
    ],
)
def test_bad_examples(arguments, message):
    with pytest.raises(InputError, match=message) as error:
        Examples(*arguments)
    assert "\n" not in str(error.value)


def test_bad_take():
    with pytest.raises(InputError, match="`n` must be at least 1"):
        Examples(["a"], None, [0.0], ()).take(0, seed=0)


# Files of one's own

TSV = 'text\tlabel\nan "odd\tpos\n"quoted" one\tneg\n'
CSV = 'label,text\npos,"an ""odd"\nneg,"""quoted"" one"\n'
CSV_PLAIN = "text,label\na,x\nb,y\n"
JSONL = '{"text": "an \\"odd", "label": "pos"}\n{"text": "\\"quoted\\" one", "label": "neg"}\n'


@pytest.mark.parametrize(("suffix", "content"), [("tsv", TSV), ("csv", CSV), ("jsonl", JSONL)])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_formats(tmp_path, suffix, content, mark, ending):
    path = write(tmp_path / f"file.{suffix}", mark + content.replace("\n", ending).encode())
    examples = load_from_file(path)
    assert rows(examples) == [('an "odd', None, 1), ('"quoted" one', None, 0)]
    assert examples.label_names == ("neg", "pos")
    assert load_texts(path)[0].tolist() == examples.texts.tolist()
    assert load_texts(path)[1] is None


def test_pairs_and_other_columns(tmp_path):
    tsv = write(tmp_path / "a.tsv", "id\ttext_pair\tlabel\ttext\n7\tb\tx\ta\n8\td\ty\tc\n\n")
    csv = write(tmp_path / "a.CSV", 'text,label,text_pair\na,x,b\nc,y,"d"\n')
    lines = [
        {"text": "a", "text_pair": "b", "label": "x", "id": 7},
        {"text": "c", "text_pair": "d", "label": "y"},
    ]
    jsonl = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    for path in (tsv, csv, jsonl):
        assert rows(load_from_file(path)) == [("a", "b", 0), ("c", "d", 1)]
        assert load_texts(path)[1].tolist() == ["b", "d"]


def test_quoted_line_breaks_in_csv(tmp_path):
    content = 'text,label\n"one\ntwo",x\nthree,y\n'
    examples = load_from_file(write(tmp_path / "a.csv", content))
    assert examples.texts.tolist() == ["one\ntwo", "three"]
    # The line of an error is where its row begins.
    with pytest.raises(InputError, match=r"a\.csv:4: expected 2 columns"):
        load_from_file(write(tmp_path / "a.csv", 'text,label\n"one\ntwo",x\n"three\nfour"\n'))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "text;label\na, b;x\nc;y\n", "has ';' between its columns"),
        ("a.csv", 'text\tlabel\n"a, b"\tx\nc\ty\n', "has '\\t' between its columns"),
        ("a.tsv", 'text,label\n"a, b",x\nc,y\n', "has ',' between its columns"),
        ("a.csv", 'id|text|label\n1|"a, b"|x\n2|c|y\n', "has '|' between its columns"),
        ("a.csv", 'Text, LABEL\n"a, b", x\nc, y\n', ""),
        ("a.csv", 'text,label,\n"a, b",x,\nc,y,\n', ""),
        ("a.csv", 'text,label\r"a, b",x\rc,y\r', ""),
        ("a.csv", '\ntext,label\n\n"a, b",x\n\n\nc,y\n', ""),
        ("a.tsv", "text\tlabel\n\na, b\tx\n\nc\ty\n", ""),
        ("a.jsonl", '{"text": "a, b", "label": "x"}\n\n{"text": "c", "label": "y"}\n', ""),
    ],
)
def test_tables_as_people_have_them(tmp_path, capsys, name, content, said):
    examples = load_from_file(write(tmp_path / name, content))
    assert rows(examples) == [("a, b", None, 0), ("c", None, 1)]
    printed = capsys.readouterr().err
    assert said in printed if said else not printed


def test_columns_of_other_names(tmp_path):
    columns = Columns("Review", "Title", "Stars", "tab")
    path = write(tmp_path / "a.csv", "text\tReview\t title\tSTARS\n1\ta\tb\tx\n2\tc\td\ty\n")
    assert rows(load_from_file(path, columns=columns)) == [("a", "b", 0), ("c", "d", 1)]
    (first, *texts), _ = iterate_texts(path, columns)
    assert first == {"text": "1", "Review": "a", "title": "b", "STARS": "x"}
    assert texts == ["a", "b"]
    lines = [{"Review": "a", "Title": "b", "Stars": 1}, {"Review": "c", "Title": "d", "Stars": 2}]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    assert rows(load_from_file(path, columns=columns)) == [("a", "b", 0), ("c", "d", 1)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"text": "Review"},
            r"a\.csv:1: expected a column 'Review'. Received: \['text', 'label'\]",
        ),
        # Who names it means it.
        ({"text_pair": "title"}, r"a\.csv:1: expected a column 'title'"),
        ({"label": "stars"}, r"a\.csv:1: expected a column 'stars'"),
        ({"delimiter": ";"}, r"a\.csv:1: expected a column 'text'"),
        ({"delimiter": "ab"}, "`delimiter` must be one character, or tab. Received: 'ab'"),
    ],
)
def test_columns_that_are_not_there(tmp_path, columns, message):
    with pytest.raises(InputError, match=message):
        load_from_file(write(tmp_path / "a.csv", CSV_PLAIN), columns=Columns(**columns))


def test_packed_files(tmp_path):
    for name, content in (("a.csv", "text,label\na,x\nc,y\n"), ("a.tsv", TSV), ("a.jsonl", JSONL)):
        plain = write(tmp_path / name, content)
        packed = write(tmp_path / f"{name}.gz", gzip.compress(content.encode()))
        assert rows(load_from_file(packed)) == rows(load_from_file(plain))
    cut = write(tmp_path / "b.csv.gz", gzip.compress(CSV.encode())[:-9])
    with pytest.raises(InputError, match=r"b\.csv\.gz: expected a readable file"):
        load_from_file(cut)
    with pytest.raises(InputError, match=r"c\.csv\.gz: .* Received: Not a gzipped file"):
        load_from_file(write(tmp_path / "c.csv.gz", CSV))


def test_long_fields_and_empty_texts(tmp_path):
    long = "word " * 40_000
    examples = load_from_file(write(tmp_path / "a.csv", f'text,label\n"{long}",x\n,y\n'))
    assert examples.texts.tolist() == [long, ""]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["1.0", "0.0", "1"], "look alike, and are classes of their own: '1' and '1.0'"),
        (["01", "1"], "'01' and '1'"),
        (["Pos", "pos", "neg"], "'Pos' and 'pos'"),
        ([f"{number}.5" for number in range(11)], "labels are 11 different numbers.*--regression"),
        ([f"{number}.5" for number in range(10)], ""),
        ([str(number) for number in range(40)], ""),
        (["a", "b"], ""),
    ],
)
def test_what_is_odd_about_classes_is_said(tmp_path, capsys, labels, said):
    content = "".join(f"t,{label}\n" for label in labels)
    path = write(tmp_path / "a.csv", f"text,label\n{content}")
    assert len(load_from_file(path).label_names) == len(labels)
    printed = capsys.readouterr().out
    assert re.search(said, printed) if said else not printed
    # Who names the classes knows them.
    load_from_file(path, labels=labels)
    assert not capsys.readouterr().out


def test_two_spellings_of_one_letter_are_one_class(tmp_path):
    path = write(tmp_path / "a.csv", "text,label\na,caf\u00e9\nb,cafe\u0301\nc,tea\n")
    examples = load_from_file(path)
    assert examples.label_names == ("caf\u00e9", "tea") and examples.labels.tolist() == [0, 0, 1]
    assert load_from_file(path, labels=["cafe\u0301", "tea"]).labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["10", "9", "x"], ("10", "9", "x")),
        ([10, 9, 10], ("9", "10")),
        ([True, False], ("false", "true")),
        ([" b", "a ", "b"], ("a", "b")),
    ],
)
def test_classes_are_found(tmp_path, values, names):
    lines = [json.dumps({"text": "t", "label": value}) for value in values]
    examples = load_from_file(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert examples.label_names == names


def test_classes_are_given(tmp_path):
    path = write(tmp_path / "a.tsv", "text\tlabel\na\tx\nb\tx\n")
    examples = load_from_file(path, labels=["y", "x", "z"])
    assert examples.labels.tolist() == [1, 1]
    assert examples.label_names == ("y", "x", "z")
    with pytest.raises(InputError, match=r"a\.tsv:2: expected a label of \['y', 'z'\].*'x'"):
        load_from_file(path, labels=["y", "z"])
    for labels in (["x"], ["x", "x"]):
        with pytest.raises(InputError, match="`labels` must be two or more different"):
            load_from_file(path, labels=labels)


@pytest.mark.parametrize("arguments", [{"labels": ()}, {"regression": True}])
def test_regression(tmp_path, arguments):
    path = write(tmp_path / "a.jsonl", '{"text": "a", "label": 1}\n{"text": "b", "label": "2.5"}')
    examples = load_from_file(path, **arguments)
    assert examples.labels.tolist() == [1.0, 2.5]
    assert examples.labels.dtype == np.float32
    assert examples.label_names == ()
    for value in ('"x"', "NaN", '"inf"', "1e39", "true", "null", '""', "[]"):
        write(path, f'{{"text": "a", "label": 1}}\n{{"text": "b", "label": {value}}}')
        with pytest.raises(InputError, match=r"a\.jsonl:2: expected a finite number"):
            load_from_file(path, **arguments)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", "", r"a\.tsv:1: expected at least one line"),
        ("a.tsv", "\n\n", r"a\.tsv:1: expected at least one line"),
        ("a.tsv", "text\tlabel\n", "expected at least one row"),
        ("a.tsv", "text\na\n", r"a\.tsv:1: expected a column 'label'. Received: \['text'\]"),
        ("a.tsv", "texts\tlabel\na\tx\n", r"a\.tsv:1: expected a column 'text'"),
        ("a.tsv", "text\tlabel\tlabel\na\tx\ty\n", "column names that differ"),
        ("a.tsv", "text\tlabel\na\tx\nb\n", r"a\.tsv:3: expected 2 columns. Received: 1"),
        ("a.tsv", "text\tlabel\na\tx\ty\n", r"a\.tsv:2: expected 2 columns. Received: 3"),
        ("a.tsv", "text\tlabel\na\t\n", r"a\.tsv:2: expected a class"),
        ("a.tsv", b"text\tlabel\na\tx\nb\xe9\ty\n", r"a\.tsv:3: expected UTF-8.*0xe9"),
        ("a.tsv", "text\tlabel\na\tx\nb\tx\n", "two or more different classes.*'x'"),
        ("a.csv", 'text,label\na,x\n"b,y\n', r"a\.csv:3: expected CSV"),
        ("a.csv", "text,label\na,x\nb,y,z\n", r"a\.csv:3: expected 2 columns. Received: 3"),
        ("a.jsonl", '{"text": "a", "label": 1}\n{"text": \n', r"a\.jsonl:2: expected JSON"),
        ("a.jsonl", '{"text": "a", "label": 1}\n\n{}\n', r"a\.jsonl:3: expected a key 'text'"),
        ("a.jsonl", '{"text": "a", "label": "\\ud800"}\n', r"a\.jsonl:1: expected Unicode text as"),
        ("a.jsonl", "[" * 100_000, r"a\.jsonl:1: expected JSON"),
        ("a.jsonl", '["a"]\n', r"a\.jsonl:1: expected a JSON object"),
        ("a.jsonl", '{"text": "a"}\n', r"a\.jsonl:1: expected a key 'label'"),
        ("a.jsonl", '{"text": null, "label": 1}\n', r"a\.jsonl:1: expected a text"),
        ("a.jsonl", '{"text": 5, "label": 1}\n', r"a\.jsonl:1: expected a text"),
        ("a.jsonl", '{"text": "a", "label": 0.5}\n', r"a\.jsonl:1: expected a class"),
        ("a.jsonl", '{"text": "\\ud800", "label": 1}\n', r"a\.jsonl:1: expected Unicode text"),
        (
            "a.jsonl",
            '{"text": "a", "label": 1}\n{"text": "a", "text_pair": "b", "label": 2}\n',
            r"a\.jsonl:2: expected 'text_pair' in every row or in none",
        ),
        ("a.xlsx", "text", r"a\.xlsx: expected \.tsv, \.csv or \.jsonl, or \.txt for texts alone"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    path = write(tmp_path / name, content)
    with pytest.raises(InputError, match=message) as error:
        load_from_file(path)
    assert "\n" not in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: expected a readable file"):
        load_from_file(tmp_path / "none.csv")


def test_texts_need_no_label(tmp_path):
    texts, pairs = load_texts(write(tmp_path / "a.txt", "one\ttab\ntwo, \u2028 lines\n"))
    assert texts.tolist() == ["one\ttab", "two, \u2028 lines"]
    assert pairs is None
    texts, pairs = load_texts(write(tmp_path / "a.tsv", "text\ttext_pair\na\tb\n"))
    assert (texts.tolist(), pairs.tolist()) == (["a"], ["b"])
    # A blank line is an empty text: left out, it would shift the answers against the texts.
    texts, _ = load_texts(write(tmp_path / "a.txt", "one\n\ntwo\n"))
    assert texts.tolist() == ["one", "", "two"]
    with pytest.raises(InputError, match=r"a\.txt:1: expected at least one line"):
        load_texts(write(tmp_path / "a.txt", ""))


def test_user_task():
    examples = Examples(["a", "b"], None, [0, 1], ("x", "y"))
    task = user_task("mine", examples, 256)
    assert (task.name, task.metric, task.labels) == ("mine", "accuracy", ("x", "y"))
    assert (task.sequence_length, task.batch_size) == (256, 32)
    assert not task.is_pair
    assert not task.is_regression
    scored = user_task("mine", Examples(["a"], ["b"], [0.5], ()), 64)
    assert scored.metric == "spearman"
    assert scored.is_pair
    assert scored.is_regression
    assert dataclasses.replace(task, metric="f1", epochs=5).epochs == 5


# GLUE's TSV files


def test_tsv_without_header_and_with_literal_quotes(tmp_path):
    write(tmp_path / "CoLA/train.tsv", 'gj04\t1\t\tA "quote.\ngj04\t0\t*\t"Another.\n')
    examples = load_from_tsv(TASKS["cola"], "train", tmp_path)
    assert rows(examples) == [('A "quote.', None, 1), ('"Another.', None, 0)]
    assert examples.label_names == ("unacceptable", "acceptable")


def test_tsv_with_byte_order_mark(tmp_path):
    header = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"
    write(tmp_path / "MRPC/dev.tsv", f"\ufeff{header}\r\n1\t7\t8\tOne\tTwo\r\n")
    assert rows(load_from_tsv(TASKS["mrpc"], "dev", tmp_path)) == [("One", "Two", 1)]


def test_tsv_with_label_words_and_with_scores(tmp_path):
    header = "index\tsentence1\tsentence2\t"
    write(
        tmp_path / "RTE/dev.tsv", f"{header}label\n0\ta\tb\tnot_entailment\n1\tc\td\tentailment\n"
    )
    assert load_from_tsv(TASKS["rte"], "dev", tmp_path).labels.tolist() == [1, 0]
    write(tmp_path / "STS-B/dev.tsv", f"{header}score\n0\ta\tb\t3.8\n")
    assert rows(load_from_tsv(TASKS["stsb"], "dev", tmp_path)) == [("a", "b", np.float32(3.8))]


# Rows of the tasks whose files are large, as GLUE has them.
MNLI = "\t".join(
    ["index", "promptID", "pairID", "genre", "sentence1_binary_parse", "sentence2_binary_parse"]
    + ["sentence1_parse", "sentence2_parse", "sentence1", "sentence2"]
)
MNLI_LINE = "0\t1\t1n\tfiction\t( A )\t( B )\t(X A)\t(X B)"
QQP = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"


@pytest.mark.parametrize(
    ("name", "split", "file", "labels"),
    [
        ("mnli-m", "train", "train", "label1\tgold_label"),
        ("mnli-mm", "train", "train", "label1\tgold_label"),
        ("mnli-m", "dev", "dev_matched", "label1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label"),
        ("mnli-mm", "dev", "dev_mismatched", "label1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label"),
    ],
)
def test_mnli_tsv(tmp_path, name, split, file, labels):
    filler = "\tcontradiction" * labels.count("\t")
    lines = [
        f'{MNLI_LINE}\tA "quote.\tB{file}{filler}\t{label}\n'
        for label in ("neutral", "entailment", "contradiction")
    ]
    write(tmp_path / f"MNLI/{file}.tsv", "".join([f"{MNLI}\t{labels}\n", *lines]))
    assert rows(load_from_tsv(TASKS[name], split, tmp_path)) == [
        ('A "quote.', f"B{file}", label) for label in (1, 0, 2)
    ]


def test_qqp_and_qnli_and_wnli_tsv(tmp_path):
    # GLUE's own file has lines without a label, and a question without words.
    broken = "1\t3\t4\tHow\n2\t5\t6\tWhere?\tHow?\n"
    write(tmp_path / "QQP/train.tsv", f"{QQP}0\t1\t2\tWho?\tWhy?\t1\n{broken}3\t7\t8\tA?\t\t0\n")
    assert rows(load_from_tsv(TASKS["qqp"], "train", tmp_path)) == [
        ("Who?", "Why?", 1),
        ("A?", "", 0),
    ]
    header = "index\tquestion\tsentence\tlabel\n"
    write(tmp_path / "QNLI/dev.tsv", f"{header}0\tWho?\tHe.\tnot_entailment\n1\tA?\tB.\tentailment")
    assert rows(load_from_tsv(TASKS["qnli"], "dev", tmp_path)) == [
        ("Who?", "He.", 1),
        ("A?", "B.", 0),
    ]
    header = "index\tsentence1\tsentence2\tlabel\n"
    write(tmp_path / "WNLI/dev.tsv", f"{header}0\tA.\tB.\t1\n")
    examples = load_from_tsv(TASKS["wnli"], "dev", tmp_path)
    assert examples.label_names[examples.labels[0]] == "entailment"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("QQP", f"{QQP}0\t1\t2\ta\tb\t2\n", r"dev\.tsv:2: expected a label of .*'2'"),
        ("QQP", f"{QQP}0\t1\t2\ta\tb\t1\tc\n", r"dev\.tsv:2: expected 6 columns. Received: 7"),
        ("QQP", f"{QQP}0\t1\n", "at least one row"),
        ("SST-2", "sentence\tlabel\na\t1\nb\t2\n", r"dev\.tsv:3: expected a label of .*'2'"),
        ("SST-2", "sentence\tlabel\na\n", r"dev\.tsv:2: expected 2 columns"),
        ("SST-2", "sentence\tlabel\n\t1\n", r"dev\.tsv:2: expected a text"),
        ("SST-2", "sentence\tlabel\n", "at least one row"),
        ("SST-2", "text\tlabel\na\t1\n", r"dev\.tsv:1: expected a column 'sentence'"),
        ("SST-2", b"sentence\tlabel\n\xff\t1\n", r"dev\.tsv:2: expected UTF-8"),
        ("CoLA", "gj04\t1\t\n", r"dev\.tsv:1: expected a column 3"),
        ("CoLA", "gj04\t1\t\ta\ngj04\t1\ta\n", r"dev\.tsv:2: expected 4 columns. Received: 3"),
        ("STS-B", "sentence1\tsentence2\tscore\na\tb\tnan\n", r"dev\.tsv:2: expected a finite"),
    ],
)
def test_bad_tsv(tmp_path, name, content, message):
    write(tmp_path / name / "dev.tsv", content)
    task = next(task for task in TASKS.values() if task.tsv_folder == name)
    with pytest.raises(InputError, match=message) as error:
        load_from_tsv(task, "dev", tmp_path)
    assert "\n" not in str(error.value)


def test_bad_tsv_arguments(tmp_path):
    with pytest.raises(InputError, match=r"`data_dir`\) must hold SST-2/train\.tsv"):
        load_from_tsv(TASKS["sst2"], "train", tmp_path)
    with pytest.raises(InputError, match="`split` must be one of train, dev"):
        load_from_tsv(TASKS["sst2"], "test", tmp_path)
    with pytest.raises(InputError, match="must have a GLUE folder. Received: 'imdb'"):
        load_from_tsv(TASKS["imdb"], "dev", tmp_path)


# tensorflow-datasets


def test_tfds_folder_without_the_dataset(tmp_path):
    expected = r"--tfds-dir \(`data_dir`\) must be a folder .* glue/sst2\. Received: .*"
    with pytest.raises(InputError, match=expected) as error:
        load_from_tfds(TASKS["sst2"], "dev", tmp_path)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
    # A folder that somebody has cut short.
    write(tmp_path / "glue/sst2/2.0.0/dataset_info.json", "{")
    with pytest.raises(InputError, match=expected) as error:
        load_from_tfds(TASKS["sst2"], "dev", tmp_path)
    assert "\n" not in str(error.value)


def test_tfds_without_network(monkeypatch):
    import tensorflow_datasets as tfds

    def offline(name):
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(tfds, "builder", offline)
    with pytest.raises(InputError, match="--tfds-dir .* the default folder .*no route to host"):
        load_from_tfds(TASKS["rte"], "train")


def mock(builder, split=None, **arguments):
    """Three rows out of order, with the features of the real builder."""
    columns = {"idx": [2, 0, 1], "label": [2, 0, 1] if builder.info.features["label"] else None}
    for name in set(builder.info.features) - set(columns):
        columns[name] = [f"{name} {split} {index}" for index in columns["idx"]]
    if builder.info.features["label"].num_classes == 2:
        columns["label"] = [0, 0, 1]
    return tf.data.Dataset.from_tensor_slices(columns)


@pytest.mark.parametrize(
    ("name", "dev", "features", "labels"),
    [
        ("mnli-m", "validation_matched", ("premise", "hypothesis"), [0, 1, 2]),
        ("mnli-mm", "validation_mismatched", ("premise", "hypothesis"), [0, 1, 2]),
        ("qqp", "validation", ("question1", "question2"), [0, 1, 0]),
        ("qnli", "validation", ("question", "sentence"), [0, 1, 0]),
        ("wnli", "validation", ("sentence1", "sentence2"), [0, 1, 0]),
    ],
)
def test_glue_from_tfds(name, dev, features, labels):
    """The names of features, labels and splits are those of tensorflow-datasets."""
    import tensorflow_datasets as tfds

    with tfds.testing.mock_data(as_dataset_fn=mock):
        builder = tfds.builder(TASKS[name].tfds_name)
        assert tuple(builder.info.features["label"].names) == TASKS[name].labels
        for split, source in (("train", "train"), ("dev", dev)):
            examples = load_from_tfds(TASKS[name], split)
            expected = [
                tuple(f"{each} {source} {index}" for each in features) for index in range(3)
            ]
            assert [row[:2] for row in rows(examples)] == expected
            assert examples.labels.tolist() == labels


def test_bad_tfds_arguments(tmp_path):
    with pytest.raises(InputError, match="`split` must be one of train, dev"):
        load_from_tfds(TASKS["rte"], "test", tmp_path)
    with pytest.raises(InputError, match="must be in tensorflow-datasets"):
        load_from_tfds(dataclasses.replace(TASKS["rte"], tfds_name=""), "dev", tmp_path)


@pytest.mark.data
@pytest.mark.parametrize("split", ["train", "dev"])
@pytest.mark.parametrize("name", ["cola", "mrpc", "rte", "sst2", "stsb"])
def test_both_sources_give_equal_examples(real_data, name, split):
    counts = {
        "cola": (8551, 1043),
        "mrpc": (3668, 408),
        "rte": (2490, 277),
        "sst2": (67349, 872),
        "stsb": (5749, 1500),
    }
    tfds = load_from_tfds(TASKS[name], split, real_data / "tfds")
    tsv = load_from_tsv(TASKS[name], split, real_data / "data/glue")
    assert len(tfds) == counts[name][split == "dev"]
    if (name, split) == ("sst2", "train"):
        # This file need not have GLUE's order.
        assert collections.Counter(rows(tfds)) == collections.Counter(rows(tsv))
    else:
        assert tfds.fingerprint() == tsv.fingerprint()


@pytest.mark.data
def test_imdb_holds_out_a_fifth(real_data):
    folder = real_data / "tfds"
    train, dev, test = (
        load_from_tfds(TASKS["imdb"], split, folder) for split in ("train", "dev", "test")
    )
    assert (len(train), len(dev), len(test)) == (20_000, 5_000, 25_000)
    assert dev.fingerprint() == load_from_tfds(TASKS["imdb"], "dev", folder).fingerprint()
    # Either class has its part on either side.
    assert 0.45 < dev.labels.mean() < 0.55
    assert len(set(train.texts) & set(dev.texts)) < 0.01 * len(dev)
