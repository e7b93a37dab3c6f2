"""Measures of training and evaluation: pictures, sequences, lips, coefficients, distances."""
