"""Motion as values: head pose, expression and gaze over time, and everything that is done to them."""

from gohd_core.motion.curves import unwrap
from gohd_core.motion.sequence import Expression, Gaze, Motion, Pose, Sequence

__all__ = ["Expression", "Gaze", "Motion", "Pose", "Sequence", "unwrap"]
