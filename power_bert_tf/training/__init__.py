"""Training by `model.fit`: objectives, optimizers, metrics, backup."""
