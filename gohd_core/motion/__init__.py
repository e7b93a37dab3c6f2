"""Motion as values: head pose, expression and gaze over time, and everything that is done to them."""

from gohd_core.motion.sequence import FILL_MODES, Expression, Gaze, Motion, Pose, Sequence, unwrap

__all__ = ["FILL_MODES", "Expression", "Gaze", "Motion", "Pose", "Sequence", "unwrap"]
