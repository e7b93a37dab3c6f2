"""A face mesh becomes pose and expression: the fit, the canonical face, gaze from the irises."""
