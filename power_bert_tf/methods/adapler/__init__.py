"""AdapLeR: each text keeps the words that contribute to its answer (Modarressi et al., 2022)."""

REGISTERED = (
    "adapting_optimizer",
    "contribution_predictor",
    "contributions",
    "reductions",
    "removal_layers",
    "steepness",
)
EXPORTS = {
    "ContributionPredictor": "contribution_predictor",
    "Removal": "reductions",
    "SoftRemoval": "reductions",
    "SteepnessSchedule": "steepness",
    "adapting_optimizer": "adapting_optimizer",
}
