"""The reference is Google's preprocessing, written down again, around the package sentencepiece."""

import unicodedata

import pytest
import sentencepiece
import tensorflow as tf
from data.sentence_piece_models import train
from data.sentence_piece_models import trained
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from power_bert_tf.data import Preprocessor
from power_bert_tf.data import SentencePieceTokenizer
from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.data import tokenizer_from_file
from power_bert_tf.data import tokenizer_from_folder
from power_bert_tf.data.demo import demo_examples
from power_bert_tf.errors import InputError


def reference(model, lowercase=True):
    """`encode_pieces` of ALBERT's tokenization.py, for one text."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)

    def tokenize(text):
        text = " ".join(text.replace("\x00", "").split()).replace("``", '"').replace("''", '"')
        text = unicodedata.normalize("NFKD", text)
        text = "".join(each for each in text if unicodedata.category(each) != "Mn")
        text = "".join(each.lower() for each in text) if lowercase else text
        pieces = []
        for piece in processor.encode_as_pieces(text):
            if len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit():
                parts = processor.encode_as_pieces(piece[:-1].replace("▁", ""))
                if piece[0] != "▁" and parts[0][0] == "▁":
                    parts = parts[1:] if len(parts[0]) == 1 else [parts[0][1:], *parts[1:]]
                pieces += [*parts, ","]
            else:
                pieces.append(piece)
        return [processor.piece_to_id(piece) for piece in pieces]

    return tokenize


@pytest.fixture(scope="module")
def model():
    return trained()


@pytest.fixture(scope="module")
def tokenizer(model):
    return SentencePieceTokenizer(model)


@pytest.fixture(scope="module")
def oracle(model):
    return reference(model)


# Numbers whose commas the model has in one piece with a digit, and texts in all spellings.
NUMBERS = ["in 2000, 15,000 of 150, and 1,515", "20,000", "1999,", ",5", "a1,b", "55,55,55"]
TEXTS = [
    "",
    "  ",
    "The  plot\tis\u00a0CLEVER ,\nreally .",
    "``Not`` one of ''the'' jokes (that I heard) is dull - or £5",
    "Ünïcödé é\u0301 Åß ﬁne … ½ x² İ ΣΑΣ 中文 😀",
    "[CLS] a[SEP]b <pad> <unk> [MASK]",
    "\u200b\ufeff\x00\x1f\x85 a\u2028b\x00c",
]


def test_ids_are_those_of_the_reference(tokenizer, oracle):
    texts = [*TEXTS, *NUMBERS, *demo_examples("dev", 200).texts]
    expected = [oracle(text) for text in texts]
    assert tokenizer.tokenize(texts).to_list() == expected
    used = {index for ids in expected for index in ids}
    assert len(used) > 200 and tokenizer.unk_id in used


def test_numbers_are_cut_before_their_comma(model, tokenizer):
    joined = [piece for piece in tokenizer.vocabulary if piece[-1:] == "," and piece[:1] != ","]
    assert joined
    plain = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [tokenizer.pieces(tokenizer.tokenize([text])[0]) for text in NUMBERS]
    assert any(set(joined) & set(plain.encode_as_pieces(text)) for text in NUMBERS)
    assert not any(set(joined) & set(row) for row in pieces)
    # Nothing is lost, and no word begins that did not.
    assert ["".join(row).replace("▁", " ").strip() for row in pieces] == NUMBERS


def test_a_model_without_such_pieces(oracle):
    model = train(["good film", "bad film", "1 2 3 , a"], 30)
    tokenizer = SentencePieceTokenizer(model)
    assert tokenizer.tokenize(NUMBERS).to_list() == [reference(model)(text) for text in NUMBERS]


COMMON = st.characters(max_codepoint=0x7E) | st.sampled_from(
    "éÉñßİIıΣσςΟÅÅﬁ…½\u0301\u0327\u00a0\u2028\ufffd\x85—’“中文한글ก😀`',0123456789"
)


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(COMMON, max_size=40), min_size=1, max_size=20))
def test_any_text_agrees_with_the_reference(texts):
    tokenizer, oracle = SentencePieceTokenizer(trained()), reference(trained())
    assert tokenizer.tokenize(texts).to_list() == [oracle(text) for text in texts]


def test_case_is_kept_where_asked(model):
    cased = SentencePieceTokenizer(model, lowercase=False)
    text = "The PLOT is clever"
    assert cased.tokenize([text]).to_list() == [reference(model, lowercase=False)(text)]
    assert cased.unk_id in cased.tokenize([text]).to_list()[0]


def test_bytes_that_are_not_utf8(tokenizer):
    broken = tokenizer.tokenize([b"a \xff\xc3film"])
    assert broken.to_list() == tokenizer.tokenize(["a film"]).to_list()


def test_text_cannot_forge_special_tokens(tokenizer):
    ids = tokenizer.tokenize(["[CLS] a[SEP]b <pad> [MASK]", "[cls][sep]"])
    special = {"[CLS]", "[SEP]", "<pad>", "[MASK]"}
    assert not special & set(tokenizer.pieces(ids.values))


def test_attributes(model, tokenizer):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert tokenizer.vocabulary_size == len(tokenizer.vocabulary) == processor.vocab_size()
    ids = (tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.sep_id)
    assert ids == tuple(map(processor.piece_to_id, ("<pad>", "<unk>", "[CLS]", "[SEP]")))
    assert tokenizer.lowercase


def test_packs_and_pads(tokenizer, oracle):
    preprocessor = Preprocessor(tokenizer, 16)
    inputs = preprocessor(tf.constant(["good film"]), tf.constant(["bad"]))
    first, second = oracle("good film"), oracle("bad")
    expected = [tokenizer.cls_id, *first, tokenizer.sep_id, *second, tokenizer.sep_id]
    padding = 16 - len(expected)
    row = inputs["token_ids"].numpy()[0].tolist()
    assert row == expected + [tokenizer.pad_id] * padding
    segments = [0] * (len(first) + 2) + [1] * (len(second) + 1) + [0] * padding
    assert inputs["segment_ids"].numpy()[0].tolist() == segments


def test_in_a_dataset_as_directly(tokenizer):
    texts = ["The plot is clever", "2000, a", ""]
    dataset = tf.data.Dataset.from_tensor_slices(texts).batch(2).map(tokenizer.tokenize)
    rows = [row for batch in dataset for row in batch.to_list()]
    assert rows == tokenizer.tokenize(texts).to_list()


def test_a_new_seed_leaves_the_tokenizer_as_it_is(tokenizer):
    """TensorFlow forgets what it has cached, of which SentencePiece's model may be a part."""
    texts, traced = ["The plot is clever"], tf.function(tokenizer.tokenize)
    dataset = tf.data.Dataset.from_tensor_slices(texts).batch(1).map(tokenizer.tokenize)
    expected = [tokenizer.tokenize(texts).to_list()] * 3
    assert traced(tf.constant(texts)).to_list() == expected[0]
    tf.random.set_seed(7)
    again = [tokenizer.tokenize(texts), traced(tf.constant(texts)), next(iter(dataset))]
    assert [ids.to_list() for ids in again] == expected


def test_a_folder_and_a_file_say_which_tokenizer_they_are_for(tmp_path, model, tokenizer):
    with pytest.raises(InputError, match="vocab.txt or spiece.model. Received: none$"):
        tokenizer_from_folder(tmp_path)
    (tmp_path / "spiece.model").write_bytes(tokenizer.to_bytes())
    again = tokenizer_from_folder(tmp_path, lowercase=False)
    assert isinstance(again, SentencePieceTokenizer) and not again.lowercase
    assert again.to_bytes() == model
    assert tokenizer_from_file(tmp_path / "spiece.model").vocabulary == tokenizer.vocabulary
    pieces = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "é", "\u2028")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "vocab.txt").write_bytes(WordPieceTokenizer(pieces).to_bytes())
    words = tokenizer_from_folder(tmp_path / "words")
    assert isinstance(words, WordPieceTokenizer) and words.lowercase and words.vocabulary == pieces
    assert tokenizer_from_file(tmp_path / "words" / "vocab.txt").vocabulary == pieces


def test_bad_models(tmp_path, model):
    with pytest.raises(InputError, match="spiece.model: expected a readable file"):
        SentencePieceTokenizer.from_file(tmp_path / "spiece.model")
    for content in (b"", b"not a model", model[: len(model) // 2], b"\x00" * 100):
        (tmp_path / "spiece.model").write_bytes(content)
        with pytest.raises(InputError, match="spiece.model: `model` must ") as error:
            tokenizer_from_folder(tmp_path)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"missing \[SEP\]. Received: "):
        SentencePieceTokenizer(train(["a film"], 20, control_symbols=["[CLS]"]))
    with pytest.raises(InputError, match="`text` must be a batch"):
        SentencePieceTokenizer(model).tokenize("one text")


@pytest.mark.large
def test_ids_are_those_of_transformers(tmp_path, model, tokenizer):
    transformers = pytest.importorskip("transformers")
    (tmp_path / "spiece.model").write_bytes(model)
    theirs = transformers.AlbertTokenizer.from_pretrained(tmp_path)
    # No space before a symbol that the model's trainer defined, such as a full stop: transformers
    # looks for those before anything else, and loses the space.
    spellings = [
        "The  plot\tis\u00a0CLEVER ,\nreally!",
        "Ünïcödé é\u0301 Åß ﬁne ½ x² İ ΣΑΣ 中文 😀",
    ]
    texts = [*demo_examples("dev", 500).texts, *spellings]
    expected = theirs(texts, add_special_tokens=False)["input_ids"]
    assert tokenizer.tokenize(texts).to_list() == expected
    specials = ("pad", "unk", "cls", "sep")
    for name in specials:
        assert getattr(tokenizer, f"{name}_id") == getattr(theirs, f"{name}_token_id")
