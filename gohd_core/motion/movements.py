"""Movements of the stylised head (`stylised.expressions`) by the part of the face that they move."""

MOUTH = ("jaw_open", "lip_pucker", "lip_spread", "lip_press", "upper_lip_raise", "lower_lip_drop")
"""The mouth's in speech; corners that smile are not among them."""
BROWS = ("brow_inner_up", "brow_outer_up_left", "brow_outer_up_right", "frown", "squint", "eyes_wide")
"""Brows, and the eyes' surroundings but for the lids."""
LIDS = ("blink_left", "blink_right")
