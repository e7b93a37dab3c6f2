"""Face parsing (BiSeNet) and masks of people in videos."""
