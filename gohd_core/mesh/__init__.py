"""Any face by geometry: a picture's own points, and the picture itself, warped.

`mouth*`, `teeth*`, `eyes*` and `lids*` draw what lies between lips and lids. Both offer a class that is
prepared once and draws windows of frames (`frame.py`):

    Mouth.of(face: OwnFace) -> Mouth      Mouth.draw(frame: MouthFrame) -> [B,3,h,w] the finished window
    Eyes.of(face: OwnFace) -> Eyes        Eyes.draw(frame: EyeFrame) -> [B,3,h,w] the finished window

A finished window is the frame's `skin` where nothing is open, and the picture's own pixels at its own motion.
"""
