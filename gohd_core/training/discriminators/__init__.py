"""The discriminators of adversarial training, one file per kind of thing they judge."""
