"""Small SentencePiece models, trained as ALBERT's was."""

import functools
import io

import sentencepiece

from power_bert_tf.data.demo import demo_examples

# Enough of them for pieces such as "0," to be learnt.
_NUMBERS = [
    f"in {year}, {count},000 of {10 * count}, and 1,5{count}"
    for year in (1999, 2000, 2001)
    for count in range(10, 60)
]


@functools.cache
def trained(vocabulary_size=400):
    """The bytes of a model of the demo's reviews, and of numbers with commas."""
    return train([*demo_examples("train", 400).texts, *_NUMBERS], vocabulary_size)


def train(texts, vocabulary_size, **options):
    """The bytes of a model of the lowered `texts`; `options` replace those of ALBERT's training."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text.lower() for text in texts),
        model_writer=model,
        vocab_size=vocabulary_size,
        hard_vocab_limit=False,
        minloglevel=2,
        **{
            "pad_id": 0,
            "unk_id": 1,
            "bos_id": -1,
            "eos_id": -1,
            "pad_piece": "<pad>",
            "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
            "user_defined_symbols": ["(", ")", '"', "-", ".", "–", "£", "€"],
            **options,
        },
    )
    return model.getvalue()
