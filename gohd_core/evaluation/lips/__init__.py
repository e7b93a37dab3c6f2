"""Predicted lips against those of real people, as a face mesh sees them in videos."""
