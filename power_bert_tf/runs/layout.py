"""What stands where in the folder of a run; imported without anything heavy."""

SETTINGS = "settings.json"
# Of a tuning, the run that it handed back.
BEST = "best"
