"""The OpenGL renderer, and the exact correspondences between its frames."""
