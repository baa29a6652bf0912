"""AdapLeR: each text keeps the words that contribute to its answer (Modarressi et al., 2022)."""

# The files whose classes a saved model may name.
REGISTERED = (
    "contribution_predictor",
    "contributions",
    "reductions",
    "removal_layers",
    "steepness",
)
# What users find at the top of the package: the name and the file of this folder.
EXPORTS = {
    "ContributionPredictor": "contribution_predictor",
    "Removal": "reductions",
    "SoftRemoval": "reductions",
    "SteepnessSchedule": "steepness",
    "adapting_optimizer": "adapting_optimizer",
    "saliency_of": "saliency",
}
