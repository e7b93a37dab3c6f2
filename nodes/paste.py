"""Back into the full frame: animated crops onto the picture they came from."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io

from gohd_core.choices import COLOURS, PASTE_LENGTHS
from gohd_core.errors import BadInput

from . import host, sockets, weight_files
from .sockets import combo, field, number, result, schema
from .values import painted

CATEGORY = "GoHD/render"
ELLIPSE = "ellipse"


def _regions() -> list[str]:
    return [ELLIPSE, *(name for name in weight_files.names("face_parsing") if name != weight_files.BUILTIN)]


class PasteBack(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="GoHDPasteBack",
            display_name="Paste Back",
            category=CATEGORY,
            description=(
                "Puts the animated face back into the full picture, with a soft edge and matched colours. "
                "What lies outside the mask stays exactly as it was. A track makes it follow a video's head."
            ),
            search_aliases=["gohd", "full frame", "composite", "uncrop", "several faces"],
            inputs=[
                field(
                    io.Image,
                    "images",
                    "The animated face, from Animate Portrait; an upscaler or restorer may stand in between.",
                ),
                field(
                    sockets.Portrait, "portrait", "Whose face it is; says where in the picture it belongs."
                ),
                field(
                    io.Image,
                    "background",
                    "Full frames to paste into, one or many, of the size of the portrait's picture. Without "
                    "any, that picture itself. For several faces: the images of another Paste Back. With "
                    "track: the frames of the video that it is from.",
                    optional=True,
                ),
                field(
                    io.Mask,
                    "mask",
                    "Where the face may change the picture, over the full frame. Without one, see region.",
                    optional=True,
                ),
                combo(
                    "region",
                    "What is pasted without a mask: an ellipse around the landmarks, or the head as face "
                    "parsing weights in models/gohd (79999_iter.pth) see it.",
                    _regions(),
                    default=ELLIPSE,
                ),
                combo(
                    "colour",
                    "constant matches the colours once, on the first frame; smoothed follows a background "
                    "whose light changes; none leaves them.",
                    COLOURS,
                    default="constant",
                ),
                number(
                    "feather",
                    "Width of the soft edge, from 0 to 0.5 of the face crop's side. It lies inside the mask.",
                    0.08,
                    (0.0, 0.5, 0.01),
                ),
                number(
                    "growth",
                    "How far the region reaches past the head, from 0 to 2 times the face's size, so that a "
                    "moving head stays inside.",
                    0.15,
                    (0.0, 2.0, 0.05),
                    advanced=True,
                ),
                combo(
                    "length",
                    "face: as many frames as the face has. longest: as the longer of face and background; "
                    "the other one holds its last frame.",
                    PASTE_LENGTHS,
                    default="face",
                ),
                field(
                    sockets.HeadTrack,
                    "track",
                    "From Extract Motion with follow_head on: the face goes with the head of the video whose "
                    "frames are the background. Where no face was seen, the background stays.",
                    optional=True,
                ),
                number(
                    "fps",
                    "For track: frames a second of images and background, 1 to 120.",
                    25.0,
                    (1.0, 120.0, 0.001),
                    round=0.001,
                    optional=True,
                    advanced=True,
                ),
            ],
            outputs=[
                result(io.Image, "images", "Full frames, for Create Video or another Paste Back."),
                result(
                    io.Mask, "mask", "How much of each pixel is the animated face; with track frame by frame."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, region: str) -> bool | str:
        return region in (None, ELLIPSE) or weight_files.problem(region, "face_parsing") or True

    @classmethod
    @host.translate_errors
    def execute(
        cls,
        images: Any,
        portrait: Any,
        region: str,
        colour: str,
        feather: float,
        growth: float,
        length: str,
        background: Any = None,
        mask: Any = None,
        track: Any = None,
        fps: float = 25.0,
    ) -> io.NodeOutput:
        from gohd_core.render import paste_back

        track = _track_at(track, background, fps)
        place = {"growth": growth, "feather": feather, "moving": track is not None}
        weights = _weights(portrait, painted(mask), region, **place)
        frames = images[..., :3].movedim(-1, 1)
        behind = None if background is None else background[..., :3].movedim(-1, 1)
        # The soft mask is made once: pasting takes it as it is.
        options = {"mask": weights, "feather": 0.0, "colour": colour, "length": length, "track": track}
        bar, made, done = host.Progress(), [], 0
        for batch in paste_back(frames, portrait, behind, value_range=(0.0, 1.0), **options):
            made.append(batch.movedim(1, -1))
            done += len(batch)
            bar(done, max(len(images), done))
        pasted = torch.cat(made)
        masks = weights[None] if track is None else _moving_masks(portrait, weights, track, pasted)
        return io.NodeOutput(host.intermediate(pasted), host.intermediate(masks))


def _track_at(track: Any, background: Any, fps: float) -> Any:
    """The track at the frames' rate; None without one."""
    from gohd_core.motion.editing import exact_fps

    if track is None:
        return None
    if background is None:
        raise BadInput("A track says where the head is in a video; wire that video's frames to background.")
    return track.resampled(exact_fps(fps))


def _moving_masks(portrait: Any, weights: Any, track: Any, pasted: Any) -> Any:
    """The mask in each of the pasted frames [T,H,W,3], [T,H,W]."""
    from gohd_core.render.placing import MovingPlace, full_masks

    moving = MovingPlace(portrait, weights, track)
    return torch.stack(list(full_masks(moving, len(pasted), *pasted.shape[1:3])))


def _weights(portrait: Any, mask: Any, region: str, **place: Any) -> Any:
    """Opacity of the face in each pixel of the picture: the mask, an ellipse, or the head by face parsing."""
    from gohd_core.face import FaceParser
    from gohd_core.render import paste_mask

    if mask is None and region != ELLIPSE:
        place["parser"] = host.loaded(FaceParser.load(weight_files.path(region, "face_parsing")))
    return paste_mask(portrait, mask=mask, **place)


NODES = (PasteBack,)
