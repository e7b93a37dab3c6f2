"""Google's MediaPipe face networks, run in torch from their own `.tflite` files."""
