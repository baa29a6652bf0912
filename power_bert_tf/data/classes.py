"""What is odd about the classes of somebody's own labels, to be said before anything is trained."""

import collections
import math

# Numbers with a fraction that are as many are hardly classes.
_MANY = 10
# Fewer examples of a class are too few to learn it, or to say how well it is learnt.
_FEW = 10


def class_notes(names):
    """What looks like a mistake in the names of classes, a list of str.

    Args:
        names: sequence of str, the different names.
    """
    notes, alike = [], collections.defaultdict(list)
    for name in names:
        alike[_key(name)].append(name)
    groups = [" and ".join(map(repr, each)) for each in alike.values() if len(each) > 1]
    if groups:
        notes.append(f"these labels look alike, and are classes of their own: {', '.join(groups)}")
    fractions = [name for name in names if not _number(name).is_integer() and _is_number(name)]
    if all(map(_is_number, names)) and len(fractions) > _MANY:
        notes.append(
            f"its labels are {len(names)} different numbers, each a class of its own: give "
            "--regression (regression=True) to predict numbers"
        )
    return notes


def count_notes(names, labels, set_name):
    """What is thin about a set of labelled examples, a list of str.

    Args:
        names: tuple of str, the classes.
        labels: int array, ids of classes.
        set_name: str, what the set is called, such as "train".
    """
    counts = [int((labels == index).sum()) for index in range(len(names))]
    notes = []
    absent = [name for name, count in zip(names, counts, strict=True) if count == 0]
    few = [
        f"{name!r} ({count})" for name, count in zip(names, counts, strict=True) if 0 < count < _FEW
    ]
    if absent:
        notes.append(f"no {set_name} example is of {', '.join(map(repr, absent))}")
    if few:
        notes.append(f"fewer than {_FEW} {set_name} examples are of {', '.join(few)}")
    return notes


def counted(names, labels):
    """How many examples each class has, in words: "neg 60, pos 40"."""
    return ", ".join(f"{name} {(labels == index).sum():,}" for index, name in enumerate(names))


def _key(name):
    return _number(name) if _is_number(name) else name.casefold()


def _is_number(name):
    return math.isfinite(_number(name))


def _number(name):
    try:
        return float(name)
    except ValueError:
        return math.nan
