"""Faces by geometry: contours, eyes and teeth of a morphable face, and the networks that read them."""
