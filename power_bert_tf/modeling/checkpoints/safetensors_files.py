"""Tensors in safetensors files: one, or several with an index. Never a pickle."""

import contextlib
import functools
import pathlib

import safetensors

from power_bert_tf.errors import InputError
from power_bert_tf.files import read_json_object
from power_bert_tf.modeling.checkpoints.checkpoint import StoredTensor

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
NAMES = (SINGLE, INDEX)
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl")


def weight_files(folder):
    """The safetensors files of a folder, a tuple of paths.

    Raises:
        InputError: where there are none, or the index names a file outside of the folder or one
            that is missing.
    """
    if (folder / SINGLE).is_file():
        return (folder / SINGLE,)
    if (folder / INDEX).is_file():
        return tuple(folder / shard for shard in sorted(set(_weight_map(folder).values())))
    pickles = sorted(file.name for pattern in _PICKLES for file in folder.glob(pattern))
    hint = (
        f"; {', '.join(pickles)} may be a pickle, which can run code and is never read: "
        "convert it with transformers, model.save_pretrained(folder, safe_serialization=True)"
    )
    raise InputError(f"{folder} has no {SINGLE}{hint if pickles else ''}")


@contextlib.contextmanager
def stored_tensors(folder):
    """A dict of `StoredTensor` by name, of which only the headers are read.

    safetensors compares each header with the size of its file.

    Raises:
        InputError: where a file is missing, corrupt or cut short, or the index and the headers
            name different tensors.
    """
    files = weight_files(folder)
    tensors, path = {}, files[0]
    with contextlib.ExitStack() as stack:
        try:
            for path in files:
                file = stack.enter_context(safetensors.safe_open(path, framework="np"))
                for name in file.keys():  # noqa: SIM118 (no dict)
                    tensor = file.get_slice(name)
                    if name in tensors:
                        raise InputError(f"{path} holds {name!r}, which another shard has too")
                    tensors[name] = StoredTensor(
                        tuple(tensor.get_shape()),
                        tensor.get_dtype(),
                        functools.partial(file.get_tensor, name),
                    )
            if files[0].name != SINGLE:
                _check_index(folder, tensors)
            yield tensors
        except (safetensors.SafetensorError, OSError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path} is corrupt, cut short or cannot be read: {reason}") from error


def _weight_map(folder):
    path = folder / INDEX
    shards = read_json_object(path).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise InputError(f"{path} must give a `weight_map` of tensors. Received: {shards!r:.80}")
    for shard in shards.values():
        # Links are no escape: the cache of the Hugging Face hub is made of them.
        if (
            not isinstance(shard, str)
            or pathlib.PurePosixPath(shard).name != shard
            or pathlib.PureWindowsPath(shard).name != shard
            or not shard.endswith(".safetensors")
        ):
            raise InputError(
                f"{path} must name safetensors files of its own folder. Received: {shard!r:.80}"
            )
    return shards


def _check_index(folder, tensors):
    named = _weight_map(folder).keys()
    for title, names in (
        ("does not name", tensors.keys() - named),
        ("names what no shard has:", named - tensors.keys()),
    ):
        if names:
            raise InputError(f"{folder / INDEX} {title} {sorted(names)[0]!r} ({len(names)} in all)")
