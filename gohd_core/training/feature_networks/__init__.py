"""Frozen networks that losses look through; `gohd_core.training.features` names them."""
