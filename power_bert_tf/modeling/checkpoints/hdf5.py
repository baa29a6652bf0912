"""Tensors in an HDF5 file as Keras writes weights, read without any of its by-ways.

HDF5 can link to other files and can claim any size for little data; neither belongs in a
checkpoint, so both are refused before a number is read.
"""

import contextlib
import functools

import h5py
import numpy as np

from power_bert_tf.errors import InputError
from power_bert_tf.modeling.checkpoints.checkpoint import StoredTensor
from power_bert_tf.modeling.checkpoints.checkpoint import check_bytes

_DTYPES = {"float32": "F32", "float16": "F16", "float64": "F64"}


@contextlib.contextmanager
def stored_tensors(path):
    """A dict of `StoredTensor` by the path within the file.

    Args:
        path: path of the file.

    Raises:
        InputError: where the file is missing or corrupt, links to others, or claims more bytes
            than it has.
    """
    if not path.is_file():
        raise InputError(f"{path.parent} has no {path.name}")
    try:
        with h5py.File(path, "r") as file:
            tensors = dict(_walk(file, path, {h5py.h5o.get_info(file.id).addr}))
            check_bytes(tensors, (path,))
            yield tensors
    except (OSError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is corrupt, cut short or cannot be read: {reason}") from error


def _walk(group, path, seen):
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise InputError(
                f"{path} must hold all of its data itself. "
                f"Received: {type(link).__name__} at {group.name}/{name}"
            )
        entry = group[name]
        # Hard links can make circles, or a few groups look like very many.
        address = h5py.h5o.get_info(entry.id).addr
        if address in seen:
            raise InputError(
                f"{path} must be a tree. Received: {entry.name}, which is linked twice"
            )
        seen.add(address)
        if isinstance(entry, h5py.Group):
            yield from _walk(entry, path, seen)
        elif isinstance(entry, h5py.Dataset):
            yield entry.name.strip("/"), _stored_tensor(entry, path)


def _stored_tensor(dataset, path):
    # A dataset in chunks or filters may be larger than what is stored of it.
    if dataset.external or dataset.is_virtual or dataset.chunks or dataset.shape is None:
        raise InputError(
            f"{path} must hold its arrays in full, as Keras writes them. Received: {dataset.name}"
        )
    if dataset.attrs.get("dtype") == "bfloat16" and dataset.dtype.itemsize == 2:
        return StoredTensor(dataset.shape, "BF16", functools.partial(_bfloat16, dataset))
    dtype = _DTYPES.get(dataset.dtype.name, dataset.dtype.name)
    return StoredTensor(dataset.shape, dtype, functools.partial(dataset.__getitem__, ()))


def _bfloat16(dataset):
    """The upper halves of float32 numbers, as float32."""
    halves = dataset[()].view("<u2").astype("<u4")
    return (halves << np.uint32(16)).view("<f4")
