"""What becomes of pictures as portraits: how well they are drawn, and which of them talk."""
