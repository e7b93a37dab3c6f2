"""The morphable model of a head, the camera that sees it, and what its landmarks measure."""
