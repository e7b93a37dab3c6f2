"""Training of what reads faces: extractor, gaze estimator, face parsing."""
