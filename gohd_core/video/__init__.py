"""Videos: read frame by frame at any rate, and written as a stream with their sound."""
