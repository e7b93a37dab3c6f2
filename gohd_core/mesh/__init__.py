"""The mesh animator: any face by its own geometry and its own picture, warped.

    portrait source animator builtin drawing     a portrait, made ready once, drawn frame by frame
    sampling frame contours clip                 what all use; meshes of a video -> its motion
    reading/                                     a face mesh -> pose, expression, gaze
    picture/                                     light, skin and blur of a picture; what of it will suffer
    geometry/                                    what each coefficient moves, and the maps that warp pictures
    encoding/                                    matte, background, glasses: made ready once a portrait
    mouth/  eyes/                                teeth and mouth interior; eyeballs, lids, lashes
    dubbing/  eye_contact/                       real videos: other words, eyes turned to the viewer

Folders import those above them and modules beside them alone (`tests/test_architecture.py`).

`Mouth` and `Eyes` are prepared once a portrait and draw windows of frames (`frame.py`):

    Mouth.of(face: OwnFace) -> Mouth      Mouth.draw(frame: MouthFrame) -> [B,3,h,w] the finished window
    Eyes.of(face: OwnFace) -> Eyes        Eyes.draw(frame: EyeFrame) -> [B,3,h,w] the finished window

A finished window is the frame's `skin` where nothing is open, and the picture's own pixels at its own motion.
"""
