"""Motion from driving videos: films, the face in them, its motion, how steady it is; names load lazily."""

from __future__ import annotations

from gohd_core.lazy import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "ClipPlan": "clips",
        "DriveOptions": "retarget",
        "Driving": "result",
        "ExtractionReport": "result",
        "SmoothingConfig": "steadiness",
        "driven_motion": "retarget",
        "extract_by_meshes": "extraction",
        "extract_motion": "extraction",
        "extract_people": "extraction",
        "with_head_track": "following",
        "motion_from_blendshapes": "blendshapes",
        "motion_jitter": "steadiness",
        "own_portrait": "following",
        "smooth_motion": "steadiness",
        "jitter": "steadiness",
        "face_locator": "locators",
        "write_clips": "clips",
    },
)
