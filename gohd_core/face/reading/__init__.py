"""Networks that read head pose, expression and gaze from aligned pictures, and official file layouts."""
