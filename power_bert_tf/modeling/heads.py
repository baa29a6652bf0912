"""What a classifier can answer."""

HEADS = ("classification", "regression", "multiple_choice")
