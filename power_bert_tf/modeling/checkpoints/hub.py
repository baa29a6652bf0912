"""Checkpoints of the Hugging Face hub by their id: hf://owner/name or hf://owner/name@revision."""

import pathlib
import re

from power_bert_tf.errors import InputError

PREFIX = "hf://"
_ID = re.compile(r"hf://((?:[\w.-]+/)?[\w.-]+)(?:@([\w./-]+))?")
_NAME = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*")
# Who publishes the models that are known by a name alone.
_OWNERS = {
    "bert": "google-bert",
    "distilbert": "distilbert",
    "albert": "albert",
    "roberta": "FacebookAI",
}
_CONFIG = "config.json"
# Nothing that could be a pickle or code.
_PATTERNS = (
    _CONFIG,
    "*.safetensors",
    "*.safetensors.index.json",
    "vocab.txt",
    "tokenizer_config.json",
    "tokenizer.json",
    "spiece.model",
    "merges.txt",
    "vocab.json",
    "task.json",
    "*.weights.h5",
    "assets/tokenizer/*",
)


def proposed_address(name):
    """The address that somebody may mean by a name which is no path here; "" where it is none.

    Args:
        name: str, such as "bert-base-uncased" or "owner/name".
    """
    if _NAME.fullmatch(name) is None or name.endswith(".keras"):
        return ""
    if "/" in name:
        return f"{PREFIX}{name}"
    owner = _OWNERS.get(name.partition("-")[0])
    return "" if owner is None else f"{PREFIX}{owner}/{name}"


def download(address, check_config):
    """The local folder of a checkpoint of the hub, downloaded where it is not there yet.

    Args:
        address: str, hf://owner/name, perhaps with @ and a branch, a tag or a commit.
        check_config: function that is given the path of config.json and raises InputError where
            the checkpoint cannot be used, before its weights are downloaded.

    Returns:
        path.

    Raises:
        InputError: where the id is none, does not exist or cannot be reached, or huggingface_hub
            is not installed.
    """
    match = _ID.fullmatch(address)
    if match is None:
        raise InputError(f"the checkpoint must read like hf://owner/name. Received: {address}")
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError as error:
        raise InputError(
            f'{address} needs huggingface_hub: pip install "power-bert-tf[hub]"'
        ) from error
    name, revision = match.groups()
    try:
        folder = pathlib.Path(
            huggingface_hub.snapshot_download(name, revision=revision, allow_patterns=[_CONFIG])
        )
        check_config(folder / _CONFIG)
        return pathlib.Path(
            huggingface_hub.snapshot_download(
                name, revision=revision, allow_patterns=list(_PATTERNS)
            )
        )
    except InputError as error:
        raise InputError(f"{address}: {error}") from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(f"{address} does not exist, or is not open to you") from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{address}: there is no revision {revision!r}") from error
    except (errors.LocalEntryNotFoundError, ConnectionError) as error:
        raise InputError(
            f"{address} cannot be reached, and is not in the cache of huggingface_hub: is there a "
            "network?"
        ) from error
    except Exception as error:  # Whatever the libraries below it raise where the network fails.
        reason = " ".join(str(error).split())
        raise InputError(f"{address} cannot be downloaded: {reason[:200]}") from error
