"""Landmarks, contours, eyes and teeth of a head from its coefficients, for training and for the animators."""
