"""What a trained model does: traces of texts and pictures."""
