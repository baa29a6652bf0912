"""Finds out what a checkpoint is, and opens it."""

import os
import pathlib

from power_bert_tf.errors import InputError
from power_bert_tf.files import read_json_object
from power_bert_tf.modeling.checkpoints import google
from power_bert_tf.modeling.checkpoints import hub
from power_bert_tf.modeling.checkpoints import huggingface
from power_bert_tf.modeling.checkpoints import keras_hub
from power_bert_tf.modeling.checkpoints import own
from power_bert_tf.modeling.checkpoints.checkpoint import Checkpoint
from power_bert_tf.modeling.config import EncoderConfig

# Each has `recognises(path)` and `open_checkpoint(path)`; the first that recognises opens.
_FORMATS = (own, huggingface, keras_hub, google)


def open_checkpoint(checkpoint):
    """A checkpoint of any format, whose weights have not been read yet.

    Args:
        checkpoint: path of a folder in Google's or Hugging Face's layout, of a KerasHub preset,
            of a run or of a `.keras` file; or hf://owner/name; or a `Checkpoint`.

    Returns:
        `Checkpoint`.

    Raises:
        InputError: where it is none of these, or something in it is missing, corrupt or does not
            fit the rest.
    """
    if isinstance(checkpoint, Checkpoint):
        return checkpoint
    if str(checkpoint).startswith(hub.PREFIX):
        checkpoint = hub.download(str(checkpoint), _check_config)
    path = pathlib.Path(os.path.expanduser(checkpoint))
    proposed = "" if path.exists() else hub.proposed_address(str(checkpoint))
    if proposed:
        raise InputError(
            "the checkpoint must be a folder or a .keras file, or stand on the Hugging Face hub, "
            f"such as {proposed}. Received: {checkpoint}"
        )
    # Hugging Face's says best what is missing.
    opener = next((each for each in _FORMATS if each.recognises(path)), huggingface)
    return opener.open_checkpoint(path)


def _check_config(path):
    """Raises InputError where config.json is none of BERT's."""
    if not path.is_file():
        raise InputError("it has no config.json")
    if "registered_name" in read_json_object(path):
        keras_hub.read_config(path)
    else:
        EncoderConfig.from_json(path)
