"""PoWER-BERT (Goyal et al., ICML 2020): encoder by encoder, the words that matter less leave."""

# The files whose classes a saved model may name.
REGISTERED = (
    "constraints",
    "reductions",
    "relative_budget",
    "significance_score",
    "soft_extract",
    "static_score",
)
# What users find at the top of the package: the name and the file of this folder.
EXPORTS = {
    "Extraction": "reductions",
    "RetentionConfiguration": "retention",
    "SignificanceScore": "significance_score",
    "SoftExtract": "soft_extract",
    "SoftExtraction": "reductions",
    "UnitInterval": "constraints",
    "search_optimizer": "search_optimizer",
}
