"""Expression directions of a face's points, and the flows that warp its picture."""
