"""What training and evaluation both measure: pictures, sequences, lips, coefficients, distances."""
