"""A small config of each backbone that is not BERT, with what distinguishes it."""

from modeling.models import small_config

SMALL = {
    "albert": small_config(
        num_layers=3,
        backbone="albert",
        embedding_dim=4,
        share_layers=True,
        activation="gelu_tanh",
        dropout=0.0,
        attention_dropout=0.0,
        head_dropout=0.1,
    ),
    "distilbert": small_config(
        num_layers=3,
        backbone="distilbert",
        num_segments=0,
        pooler_activation="relu",
        head_dropout=0.2,
    ),
    "roberta": small_config(
        num_layers=3, backbone="roberta", num_segments=1, position_offset=2, layer_norm_epsilon=1e-5
    ),
}
