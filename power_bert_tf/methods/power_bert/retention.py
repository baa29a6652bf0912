"""How many word-vectors stay after each encoder."""

import dataclasses
import fractions
import json
import math
import re

from power_bert_tf.errors import InputError

# A text's budget is reckoned in 32-bit whole numbers: this times 2,000 words still fits.
_LARGEST_REFERENCE = 1_000_000


@dataclasses.dataclass(frozen=True)
class RetentionConfiguration:
    """One length per encoder, non-increasing, each at least 1.

    In the *absolute* basis, the paper's, encoder j keeps l_j word-vectors, or all where a text
    has fewer. In the *relative* basis the lengths are out of `reference_length`: a text of n
    words keeps ceil(l_j * n / reference_length), so that a short text loses words as well.

    Args:
        lengths: the lengths, one for each encoder.
        reference_length: int for the relative basis, None for the absolute one.

    Raises:
        InputError: where the lengths are none, not whole, below 1, increasing, or larger than
            `reference_length`, or that is not whole or above a million.

    Example:

    >>> RetentionConfiguration.parse("80,73,70").at_length(72)
    (72, 72, 70)
    >>> RetentionConfiguration.parse("80,73,70 of 128").at_length(64)
    (40, 37, 35)

    Reference: PoWER-BERT, sections 3.1 and 3.3.
    """

    lengths: tuple[int, ...]
    reference_length: int | None = None

    def __post_init__(self):
        object.__setattr__(self, "lengths", tuple(self.lengths))
        if not self.lengths:
            raise InputError("`retention` must have a length for each encoder. Received: none")
        for length in self.lengths:
            if isinstance(length, bool) or not isinstance(length, int) or length < 1:
                raise InputError(
                    f"`retention` must hold whole numbers of at least 1. Received: {length!r} in "
                    f"{list(self.lengths)}"
                )
        for earlier, later in zip(self.lengths, self.lengths[1:], strict=False):
            if later > earlier:
                raise InputError(
                    f"`retention` must not increase: an encoder cannot keep more word-vectors "
                    f"than it gets. Received: {later} after {earlier} in {list(self.lengths)}"
                )
        if self.reference_length is None:
            return
        if not isinstance(self.reference_length, int) or self.reference_length > _LARGEST_REFERENCE:
            raise InputError(
                f"`reference_length` must be a whole number of at most {_LARGEST_REFERENCE}. "
                f"Received: reference_length={self.reference_length!r}"
            )
        if self.lengths[0] > self.reference_length:
            raise InputError(
                f"`retention` must not keep more than all. "
                f"Received: {self.lengths[0]} of {self.reference_length}"
            )

    @property
    def basis(self):
        """ "absolute" or "relative"."""
        return "absolute" if self.reference_length is None else "relative"

    def at_length(self, length):
        """The lengths, a tuple of ints, for an input of `length` word-vectors.

        Where `length` is None, the most that are kept of any input: None in the relative basis.
        """
        if length is None:
            return self.lengths if self.basis == "absolute" else (None,) * len(self.lengths)
        if self.reference_length is None:
            return tuple(min(kept, length) for kept in self.lengths)
        return tuple(-(-kept * length // self.reference_length) for kept in self.lengths)

    def check(self, num_layers, sequence_length):
        """Raises InputError unless it fits a model of these sizes; of any length where None."""
        if len(self.lengths) != num_layers:
            raise InputError(
                f"`retention` must have one length for each of the {num_layers} encoders. "
                f"Received: {len(self.lengths)} in {self}"
            )
        if sequence_length is None or self.basis == "relative":
            return
        if self.lengths[0] > sequence_length:
            raise InputError(
                f"`retention` must not be longer than the sequence length {sequence_length}. "
                f"Received: {self.lengths[0]} in {self}"
            )

    def __str__(self):
        lengths = ",".join(str(length) for length in self.lengths)
        return lengths if self.reference_length is None else f"{lengths} of {self.reference_length}"

    @classmethod
    def parse(cls, text):
        """Reads "153,125,111" (absolute), "153,125,111 of 256" or "0.6,0.5,0.5" (relative)."""
        if isinstance(text, cls):
            return text
        if not isinstance(text, str):
            try:
                return cls(tuple(text))
            except TypeError as error:
                raise InputError(
                    f"`retention` must be a text or a sequence of lengths. Received: {text!r}"
                ) from error
        match = re.fullmatch(r"\s*([\d.,\s]+?)\s*(?:of\s+(\d+)\s*)?", text)
        numbers = match[1].split(",") if match else []
        reference = int(match[2]) if match and match[2] else None
        try:
            if reference is None and any("." in number for number in numbers):
                shares = [fractions.Fraction(number.strip()) for number in numbers]
                reference = math.lcm(*(share.denominator for share in shares))
                lengths = tuple(int(share * reference) for share in shares)
            else:
                lengths = tuple(int(number) for number in numbers)
        except ValueError:
            lengths = ()
        if not lengths:
            raise InputError(
                "`retention` must read like '80,73,70' or '80,73,70 of 128' or '0.6,0.5,0.5'. "
                f"Received: {text!r}"
            )
        return cls(lengths, reference)

    @classmethod
    def from_masses(cls, masses, sequence_length, basis="absolute", rounding="up"):
        """l_j = ceil(mass(j)), then at most l_(j-1) (section 3.3).

        Args:
            masses: sequence of floats, the mass of each encoder.
            sequence_length: int. The number of retention parameters that each mass sums.
            basis: that of the search, "absolute" or "relative".
            rounding: "up", as in the paper, or "down", as in its authors' code.

        Raises:
            InputError: where a mass is not a finite number, as after a search that diverged.
        """
        if not all(math.isfinite(mass) for mass in masses):
            raise InputError(f"`masses` must be finite numbers. Received: {list(masses)}")
        lengths, before = [], sequence_length
        for mass in masses:
            whole = math.ceil(mass) if rounding == "up" else math.floor(mass)
            before = max(1, min(before, whole))
            lengths.append(before)
        return cls(tuple(lengths), sequence_length if basis == "relative" else None)

    @classmethod
    def from_search(cls, model):
        """The configuration that a model with `SoftExtraction` has learnt.

        Args:
            model: a classifier whose reduction is `SoftExtraction`.

        Raises:
            InputError: where it is not.
        """
        reduction = model.reduction
        if not hasattr(reduction, "learnt_retention"):
            raise InputError(
                "`model` must have been built with `SoftExtraction` to have learnt a retention "
                f"configuration. Received: reduction={type(reduction).__name__}"
            )
        return reduction.learnt_retention(model)

    def to_json(self):
        """A JSON object as text."""
        return json.dumps(
            {"lengths": list(self.lengths), "reference_length": self.reference_length}
        )

    @classmethod
    def from_json(cls, text):
        """Reads what `to_json` wrote."""
        try:
            given = json.loads(text)
            return cls(tuple(given["lengths"]), given["reference_length"])
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise InputError(
                "a retention configuration must be a JSON object with `lengths` and "
                f"`reference_length`. Received: {text[:80]!r}"
            ) from error
