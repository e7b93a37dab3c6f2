"""The loss terms of each module, one file per module, as plain functions of tensors."""
