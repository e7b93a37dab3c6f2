"""Faces found by S3FD and FAN of the face-alignment library, and one of them followed through frames."""
