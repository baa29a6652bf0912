import os
import subprocess
import sys
import unicodedata

import pytest
import tensorflow as tf
import tensorflow_text as tf_text
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from tokenizers import BertWordPieceTokenizer
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.data import load_from_tsv
from power_bert_tf.data.tasks import TASKS
from power_bert_tf.errors import InputError

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Where the oracle's Unicode tables are older: see the class docstring.
KNOWN_DIFFERENCES = {"uncased": 882, "cased": 418}
# Letters, a mark and punctuation that changed their category after the oracle's tables were made.
RECLASSIFIED = {"\u166d", "\u1734", "\u1885", "\u1886"}


def spelled_vocabulary(characters):
    """Every character as a word and as a piece, so that nothing hides behind [UNK]."""
    pieces = [prefix + character for character in characters for prefix in ("", "##")]
    return list(dict.fromkeys([*SPECIALS, "cls", "mask", *pieces]))


def written_characters(stop):
    """The characters that a vocabulary could hold, without ideographs and Hangul syllables."""
    for code in range(stop):
        many = 0x3400 <= code < 0xA000 or 0xAC00 <= code < 0xD800
        if not many and unicodedata.category(chr(code))[0] not in "CZ":
            yield chr(code)


def oracle(vocabulary, lowercase):
    ids = {piece: index for index, piece in enumerate(vocabulary)}
    reference = BertWordPieceTokenizer(ids, lowercase=lowercase)
    # The same parts, without the special tokens that it finds in texts.
    bare = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    bare.normalizer = reference._tokenizer.normalizer
    bare.pre_tokenizer = reference._tokenizer.pre_tokenizer
    return lambda texts: [encoding.ids for encoding in bare.encode_batch(texts)]


def difference(vocabulary, lowercase, texts):
    """The texts that `WordPieceTokenizer` and the oracle tokenize differently."""
    received = WordPieceTokenizer(vocabulary, lowercase).tokenize(texts).to_list()
    expected = oracle(vocabulary, lowercase)(texts)
    return [text for text, a, b in zip(texts, received, expected, strict=True) if a != b]


VOCABULARY = spelled_vocabulary(written_characters(0x3400))
TOKENIZERS = {case: WordPieceTokenizer(VOCABULARY, case == "uncased") for case in KNOWN_DIFFERENCES}
ORACLES = {case: oracle(VOCABULARY, case == "uncased") for case in KNOWN_DIFFERENCES}


@pytest.mark.parametrize("case", KNOWN_DIFFERENCES)
def test_single_characters_agree_with_oracle(case):
    """All characters that Unicode 3.2 had before the ideographs, and samples from beyond."""
    old = unicodedata.ucd_3_2_0
    codes = [
        *range(0x0, 0x3400),
        *range(0x4DB0, 0x4E10),
        *range(0x9F00, 0xA000),
        *range(0xAC00, 0xAC20),
        *range(0xE000, 0xE010),
        *range(0xF900, 0x10000),
        *range(0x1F600, 0x1F650),
        *range(0x20000, 0x20010),
        *range(0x2F800, 0x2FA20),
    ]
    texts = [f"a{chr(code)}b" for code in codes if code < 0x80 or old.category(chr(code)) != "Cn"]
    assert len(texts) > 10_000
    different = {text[1] for text in difference(VOCABULARY, case == "uncased", texts)}
    assert different <= RECLASSIFIED


@pytest.mark.large
@pytest.mark.parametrize("case", KNOWN_DIFFERENCES)
def test_every_code_point_agrees_with_oracle(case):
    vocabulary = spelled_vocabulary(written_characters(0x20000))
    texts = [f"a{chr(code)}b" for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    different = difference(vocabulary, case == "uncased", texts)
    assert len(different) == KNOWN_DIFFERENCES[case]
    old = {text[1] for text in different if unicodedata.ucd_3_2_0.category(text[1]) != "Cn"}
    assert old <= RECLASSIFIED


COMMON = st.characters(max_codepoint=0x7E) | st.sampled_from(
    "éÉñßİIıΣσςΟÅÅﬁ…½\u0301\u0327\u00a0\u200b\u2028\ufeff\ufffd\x00\x1f\x85—’中文한글ก😀"
)


@pytest.mark.parametrize("case", KNOWN_DIFFERENCES)
@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text(COMMON, max_size=40), min_size=1, max_size=20))
def test_text_agrees_with_oracle(case, texts):
    assert TOKENIZERS[case].tokenize(texts).to_list() == ORACLES[case](texts)


@pytest.mark.parametrize("case", KNOWN_DIFFERENCES)
@pytest.mark.parametrize("letter", ["x", "é", "ก", "😀"])
def test_words_are_limited_in_characters(case, letter):
    texts = [letter * 100, letter * 101, f"a {letter * 100}.{letter * 101} b", letter * 5000]
    tokenizer = TOKENIZERS[case]
    assert tokenizer.tokenize(texts).to_list() == ORACLES[case](texts)
    assert tokenizer.pieces(tokenizer.tokenize(texts[1:2])[0]) == ["[UNK]"]


def test_longest_pieces_win():
    tokenizer = WordPieceTokenizer([*SPECIALS, "un", "una", "##afford", "##ford", "##able"])
    ids = tokenizer.tokenize(["Unaffordable unaf", ""]).to_list()
    # Greedy: "una" hides "##afford", and "##f" is not there.
    assert [tokenizer.pieces(row) for row in ids] == [["[UNK]", "[UNK]"], []]
    tokenizer = WordPieceTokenizer([*SPECIALS, "un", "##afford", "##able", "!"])
    ids = tokenizer.tokenize(["Ünaffordable!"]).to_list()
    assert [tokenizer.pieces(row) for row in ids] == [["un", "##afford", "##able", "!"]]


def test_case_and_accents():
    vocabulary = spelled_vocabulary("ÉéEea")
    uncased = WordPieceTokenizer(vocabulary)
    cased = WordPieceTokenizer(vocabulary, lowercase=False)
    assert uncased.pieces(uncased.tokenize(["Éa"])[0]) == ["e", "##a"]
    assert cased.pieces(cased.tokenize(["Éa"])[0]) == ["É", "##a"]


@pytest.mark.parametrize("case", KNOWN_DIFFERENCES)
def test_text_cannot_forge_special_tokens(case):
    tokenizer = TOKENIZERS[case]
    ids = tokenizer.tokenize(["[CLS] a[SEP]b [PAD][UNK] [MASK]", "[cls]", "[unused1]"])
    special = {"[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]"}
    assert not special & set(tokenizer.pieces(ids.values))
    assert tokenizer.pieces(ids[1]) == ["[", "cls", "]"]


@pytest.mark.parametrize("case", KNOWN_DIFFERENCES)
def test_bytes_that_are_not_utf8_vanish(case):
    tokenizer = TOKENIZERS[case]
    texts = [b"a\xffb", b"ab \xc3", b"\xed\xa0\x80ab", b"a\x00b", b"\xf8\x88\x80\x80\x80", b""]
    rows = [tokenizer.pieces(row) for row in tokenizer.tokenize(texts)]
    assert rows == [["a", "##b"]] * 4 + [[], []]


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.binary(max_size=50), min_size=1))
def test_any_bytes_are_survived(texts):
    for tokenizer in TOKENIZERS.values():
        assert tokenizer.tokenize(texts).nrows() == len(texts)


def test_eager_graph_and_dataset_agree():
    tokenizer = TOKENIZERS["uncased"]
    texts = ["Hello, wörld!", "", "中文 and more"]
    expected = tokenizer.tokenize(texts).to_list()
    graph = tf.function(tokenizer.tokenize, input_signature=[tf.TensorSpec([None], tf.string)])
    assert graph(tf.constant(texts)).to_list() == expected
    dataset = tf.data.Dataset.from_tensor_slices(texts).batch(2).map(tokenizer.tokenize)
    assert [row for batch in dataset for row in batch.to_list()] == expected
    assert tokenizer.tokenize(texts).dtype == tf.int32


@pytest.mark.slow
def test_saved_model_in_a_turkish_process(tmp_path):
    module = tf.Module()
    module.tokenizer = WordPieceTokenizer([*SPECIALS, "istanbul", "in", "i", "σ", "[", "]", "cls"])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(text):
        return module.tokenizer.tokenize(text).to_tensor()

    module.serve = serve
    tf.saved_model.save(module, str(tmp_path))
    script = (
        "import sys, tensorflow as tf, tensorflow_text\n"
        "serve = tf.saved_model.load(sys.argv[1]).serve\n"
        "print(serve(tf.constant(['İSTANBUL IN I Σ', '[CLS]'])).numpy().tolist())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        env=os.environ | {"LC_ALL": "tr_TR.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    # TensorFlow alone makes "ın" and "ı" of "IN" and "I" there.
    assert run.stdout == "[[5, 6, 7, 8], [9, 11, 10, 0]]\n", run.stderr


def test_custom_ops_are_the_documented_ones():
    core = {"FastWordpieceTokenizeWithOffsets"}
    for case, custom in (("cased", core), ("uncased", core | {"NormalizeUTF8"})):
        graph = tf.function(TOKENIZERS[case].tokenize).get_concrete_function(
            tf.TensorSpec([None], tf.string)
        )
        operations = {operation.type for operation in graph.graph.get_operations()}
        available = set(dir(tf.raw_ops))
        assert {name for name in operations - available if not name.startswith("_")} == custom
    assert tf_text.__version__


def test_attributes():
    tokenizer = WordPieceTokenizer(("[UNK]", "[CLS]", "[SEP]", "[PAD]", "a"), lowercase=False)
    assert tokenizer.vocabulary == ("[UNK]", "[CLS]", "[SEP]", "[PAD]", "a")
    assert tokenizer.vocabulary_size == 5
    assert not tokenizer.lowercase
    ids = (tokenizer.unk_id, tokenizer.cls_id, tokenizer.sep_id, tokenizer.pad_id)
    assert ids == (0, 1, 2, 3)


def test_from_file(tmp_path):
    path = tmp_path / "vocab.txt"
    # U+2028 is a piece of its own, not the end of a line.
    path.write_bytes("\r\n".join([*SPECIALS, "\u2028", "é", ""]).encode())
    tokenizer = WordPieceTokenizer.from_file(path, lowercase=False)
    assert tokenizer.vocabulary == (*SPECIALS, "\u2028", "é")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"vocab.txt:1: expected at least one line"),
        (b"[PAD]\n[UNK]\n[CLS]\n", r"vocab.txt: .*missing \[SEP\]"),
        (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n", r"vocab.txt: .*'a' at ids 4 and 5 \(line 6\)"),
        (b"[PAD]\n[UNK]\n\n[CLS]\n[SEP]\n", r"vocab.txt: .*'' at id 2 \(line 3\)"),
        (b"[PAD]\n[UNK]\n\xff\n", r"vocab.txt:3: expected UTF-8. Received: byte 0xff"),
    ],
)
def test_bad_vocabulary_file(tmp_path, content, message):
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        WordPieceTokenizer.from_file(path)
    assert "\n" not in str(error.value)


def test_bad_input(tmp_path):
    with pytest.raises(InputError, match="expected a readable file"):
        WordPieceTokenizer.from_file(tmp_path / "none.txt")
    with pytest.raises(InputError, match="expected a readable file"):
        WordPieceTokenizer.from_file(tmp_path)
    with pytest.raises(InputError, match=r"`text` must be a batch"):
        TOKENIZERS["cased"].tokenize("one text")


@pytest.mark.data
@pytest.mark.parametrize("case", KNOWN_DIFFERENCES)
def test_real_sentences_agree_with_oracle(real_data, case):
    glue = real_data / "data" / "glue"
    texts = []
    for name, split in (("sst2", "dev"), ("cola", "train"), ("mrpc", "train"), ("rte", "train")):
        examples = load_from_tsv(TASKS[name], split, glue)
        texts += examples.texts.tolist()
        texts += [] if examples.text_pairs is None else examples.text_pairs.tolist()
    vocabulary = WordPieceTokenizer.from_file(real_data / "data/vocab/vocab.txt").vocabulary
    assert len(texts) > 20_000
    assert difference(vocabulary, case == "uncased", texts) == []
