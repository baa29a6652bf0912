import dataclasses


@dataclasses.dataclass(frozen=True)
class EverySecondOptions:
    """It has one option."""

    adapting_epochs: int = 1
    """Epochs of the second step."""

    def check(self):
        """Nothing can be wrong."""


OPTIONS = EverySecondOptions
