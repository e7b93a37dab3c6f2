"""Training of the expression predictor's two stages (section 3.2)."""
