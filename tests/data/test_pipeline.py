import numpy as np
import pytest
import tensorflow as tf
from training import toy

from power_bert_tf.data import Examples
from power_bert_tf.data import Preprocessor
from power_bert_tf.data import WordPieceTokenizer
from power_bert_tf.data import evaluation_dataset
from power_bert_tf.data import training_dataset
from power_bert_tf.errors import InputError

LETTERS = "abcdefghij"
TOKENIZER = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS])
PREPROCESSOR = Preprocessor(TOKENIZER, 5)
EXAMPLES = Examples(list(LETTERS), None, [index % 2 for index in range(10)], ("even", "odd"))
SCORED = Examples(list(LETTERS), list(LETTERS), np.linspace(0, 5, 10), ())


def letters(dataset):
    """Batches of (letter, label) pairs, the letter read back from its token id."""
    return [
        list(zip(TOKENIZER.pieces(inputs["token_ids"][:, 1]), labels.numpy(), strict=True))
        for inputs, labels in dataset
    ]


def test_epochs_are_shuffled_and_whole():
    dataset, steps = training_dataset(EXAMPLES, PREPROCESSOR, 3, seed=1, epochs=2)
    batches = letters(dataset)
    assert steps == 3
    assert [len(batch) for batch in batches] == [3] * 6
    truth = dict(zip(EXAMPLES.texts, EXAMPLES.labels, strict=True))
    epochs = [sum(batches[:3], []), sum(batches[3:], [])]
    for epoch in epochs:
        assert len(dict(epoch)) == 9
        assert all(truth[letter] == label for letter, label in epoch)
    assert epochs[0] != epochs[1]
    assert letters(dataset) == batches
    assert letters(training_dataset(EXAMPLES, PREPROCESSOR, 3, seed=2, epochs=2)[0]) != batches


@pytest.mark.parametrize("first_epoch", [1, 2])
def test_a_resumed_run_sees_the_same_batches(first_epoch):
    whole, steps = training_dataset(EXAMPLES, PREPROCESSOR, 4, seed=7, epochs=3)
    rest, _ = training_dataset(EXAMPLES, PREPROCESSOR, 4, 7, first_epoch=first_epoch, epochs=3)
    assert letters(rest) == letters(whole)[first_epoch * steps :]


def test_pad_to_longest():
    preprocessor = Preprocessor(TOKENIZER, 24)
    examples = Examples(["a", "a b c d e f g h i j"], None, [0, 1], ("short", "long"))
    for dataset in (
        training_dataset(examples, preprocessor, 1, 0, pad_to_longest=True)[0],
        evaluation_dataset(examples, preprocessor, 1, pad_to_longest=True),
    ):
        lengths = {int(label[0]): inputs["token_ids"].shape[1] for inputs, label in dataset}
        assert lengths == {0: 8, 1: 16}


def test_batches_of_similar_length():
    generator = np.random.RandomState(0)
    texts = [" ".join(LETTERS[:count]) for count in generator.randint(1, 11, 400)]
    examples = Examples(texts, texts[::-1], [0] * 400, ("one",))
    sizes = examples.characters()
    assert sizes.tolist() == [
        len(one) + len(two) for one, two in zip(texts, texts[::-1], strict=True)
    ]
    found = {}
    for grouped in (False, True):
        options = {"epochs": 2, "pad_to_longest": True, "group_by_length": grouped}
        dataset, steps = training_dataset(examples, Preprocessor(TOKENIZER, 64), 4, 5, **options)
        batches = [inputs["token_ids"].numpy() for inputs, _ in dataset]
        assert steps == 100 and [len(batch) for batch in batches] == [4] * 200
        found[grouped] = batches
        rest, _ = training_dataset(
            examples, Preprocessor(TOKENIZER, 64), 4, 5, first_epoch=1, **options
        )
        for one, other in zip(rest, batches[100:], strict=True):
            np.testing.assert_array_equal(one[0]["token_ids"], other)
    # The same texts in each epoch, with less padding, and not from the shortest to the longest.
    real = {
        grouped: [(batch != 0).sum(axis=1) for batch in batches]
        for grouped, batches in found.items()
    }
    for epoch in (slice(0, 100), slice(100, 200)):
        assert sorted(np.concatenate(real[True][epoch])) == sorted(
            np.concatenate(real[False][epoch])
        )
    padded = {grouped: sum(batch.size for batch in batches) for grouped, batches in found.items()}
    needed = np.concatenate(real[True]).sum()
    # By word-pieces, and to the longest itself: hardly any.
    assert padded[True] - needed < 0.1 * (padded[False] - needed)
    longest = [sizes.max() for sizes in real[True][:50]]
    assert longest != sorted(longest)
    assert [sizes.tolist() for sizes in real[True][:100]] != [
        sizes.tolist() for sizes in real[True][100:]
    ]


def questions(count):
    """The options of a question are a letter once, twice and three times; the letter mod 3 is
    right."""
    texts = [f"{LETTERS[index]} " * times for index in range(count) for times in (1, 2, 3)]
    return Examples(texts, None, [index % 3 for index in range(count)], ("A", "B", "C"), 3)


@pytest.mark.parametrize("grouped", [False, True])
def test_questions_stay_whole(grouped):
    arguments = {"seed": 5, "epochs": 3, "pad_to_longest": True, "group_by_length": grouped}
    dataset, steps = training_dataset(questions(10), PREPROCESSOR, 4, **arguments)
    batches = [(inputs["token_ids"].numpy(), labels.numpy()) for inputs, labels in dataset]
    assert steps == 2 and len(batches) == 6
    seen = []
    for token_ids, labels in batches:
        assert (len(token_ids), len(labels)) == (12, 4)
        for rows, label in zip(token_ids.reshape(4, 3, -1), labels, strict=True):
            letter = TOKENIZER.pieces([rows[0, 1]])[0]
            assert [TOKENIZER.pieces(row).count(letter) for row in rows] == [1, 2, 3]
            assert label == LETTERS.index(letter) % 3
            seen.append(letter)
    assert all(len(set(seen[8 * epoch : 8 * epoch + 8])) == 8 for epoch in range(3))
    rest, _ = training_dataset(questions(10), PREPROCESSOR, 4, **arguments, first_epoch=1)
    for (inputs, labels), (token_ids, expected) in zip(rest, batches[2:], strict=True):
        np.testing.assert_array_equal(inputs["token_ids"], token_ids)
        np.testing.assert_array_equal(labels, expected)


def test_questions_are_evaluated_in_order():
    examples = questions(5)
    dataset = evaluation_dataset(examples, PREPROCESSOR, 2)
    rows = [inputs["token_ids"].numpy() for inputs, _ in dataset]
    assert [len(each) for each in rows] == [6, 6, 3]
    whole = PREPROCESSOR(examples.texts)["token_ids"]
    np.testing.assert_array_equal(np.concatenate(rows), whole)
    labels = np.concatenate([labels for _, labels in dataset])
    assert labels.tolist() == examples.labels.tolist()


def test_order_is_fixed_for_good():
    dataset, _ = training_dataset(EXAMPLES, PREPROCESSOR, 10, seed=3)
    order = np.random.RandomState([3, 0]).permutation(10)
    assert [letter for letter, _ in letters(dataset)[0]] == [LETTERS[index] for index in order]


def test_fewer_examples_than_the_batch():
    dataset, steps = training_dataset(EXAMPLES, PREPROCESSOR, 64, seed=0, epochs=2)
    assert steps == 1
    assert [len(batch) for batch in letters(dataset)] == [10, 10]


def test_evaluation_is_in_order():
    batches = letters(evaluation_dataset(EXAMPLES, PREPROCESSOR, 4))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sum(batches, []) == list(zip(EXAMPLES.texts, EXAMPLES.labels, strict=True))


@pytest.mark.parametrize(("examples", "dtype"), [(EXAMPLES, tf.int32), (SCORED, tf.float32)])
def test_elements(examples, dtype):
    training, steps = training_dataset(examples, PREPROCESSOR, 4, seed=0, epochs=3)
    evaluation = evaluation_dataset(examples, PREPROCESSOR, 4)
    for dataset, batch, count in ((training, 4, steps * 3), (evaluation, None, 3)):
        inputs, labels = dataset.element_spec
        assert {name: spec.shape.as_list() for name, spec in inputs.items()} == {
            name: [batch, 5] for name in ("token_ids", "segment_ids", "padding_mask")
        }
        assert {spec.dtype for spec in inputs.values()} == {tf.int32}
        assert (labels.shape.as_list(), labels.dtype) == ([batch], dtype)
        assert dataset.cardinality() == count
    inputs, _ = next(iter(evaluation))
    assert bool(inputs["segment_ids"].numpy().any()) == (examples is SCORED)


def test_bad_input():
    empty = Examples([], None, [], ("a", "b"))
    with pytest.raises(InputError, match="`examples` must not be empty"):
        training_dataset(empty, PREPROCESSOR, 4, seed=0)
    with pytest.raises(InputError, match="`examples` must not be empty"):
        evaluation_dataset(empty, PREPROCESSOR, 4)
    with pytest.raises(InputError, match="`batch_size` must be at least 1"):
        evaluation_dataset(EXAMPLES, PREPROCESSOR, 0)
    for first_epoch, epochs in ((-1, 2), (2, 2), (0, 0)):
        with pytest.raises(InputError, match="`first_epoch` must be"):
            training_dataset(EXAMPLES, PREPROCESSOR, 4, 0, first_epoch=first_epoch, epochs=epochs)
    with pytest.raises(InputError, match="`seed` must be"):
        training_dataset(EXAMPLES, PREPROCESSOR, 4, seed=-1)


@pytest.mark.parametrize("options", [{}, {"pad_to_longest": True, "group_by_length": True}])
def test_what_is_known_of_each_word_piece_goes_with_its_text(options):
    """By example, so that the order may change from epoch to epoch."""
    examples, preprocessor = toy.examples(12), toy.preprocessor()
    token_ids, _ = preprocessor.encode(examples.texts)
    known = [np.array(ids, "float32") + 0.5 for ids in token_ids]
    dataset, _ = training_dataset(
        examples, preprocessor, 4, seed=1, epochs=2, by_word={"known": known}, **options
    )
    for inputs, _ in dataset:
        mask = inputs["padding_mask"].numpy()
        expected = (inputs["token_ids"].numpy() + 0.5) * mask
        np.testing.assert_array_equal(inputs["known"].numpy(), expected)


def test_what_is_known_of_the_options_of_questions():
    questions, preprocessor = toy.questions(6), toy.preprocessor(16)
    token_ids, _ = preprocessor.encode(questions.texts, questions.text_pairs)
    known = {"known": [np.array(ids, "float32") for ids in token_ids]}
    dataset, _ = training_dataset(questions, preprocessor, 3, seed=1, by_word=known)
    for inputs, _ in dataset:
        expected = inputs["token_ids"].numpy() * inputs["padding_mask"].numpy()
        np.testing.assert_array_equal(inputs["known"].numpy(), expected)


def test_what_is_known_must_be_of_all_texts():
    with pytest.raises(InputError, match="an array for each of the 5 texts. Received: 4 in 'x'"):
        training_dataset(
            toy.examples(5), toy.preprocessor(), 2, seed=1, by_word={"x": [np.ones(3)] * 4}
        )
