"""Everything that GoHD asks of ComfyUI: folders, files, memory, progress, interruption. Nothing else does."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import comfy.model_management
import comfy.utils
import folder_paths
import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from gohd_core.errors import BadCheckpoint, BadInput, Interrupted, missing_library

logger = logging.getLogger(__name__)

FOLDER = "gohd"
ENDINGS = frozenset({".safetensors", ".pt", ".pth", ".pkl", ".mat"})
PREVIEW_SECONDS = 0.4
PREVIEW_SIZE = 512

Runtime = TypeVar("Runtime")


def register_folder() -> None:
    """Makes models/gohd a folder of ComfyUI's, beside those that extra_model_paths names."""
    default = Path(folder_paths.models_dir) / FOLDER
    folder_paths.add_model_folder_path(FOLDER, str(default))
    folder_paths.folder_names_and_paths[FOLDER][1].update(ENDINGS)


def input_folder() -> Path:
    """ComfyUI's folder of input files."""
    return Path(folder_paths.get_input_directory())


def weight_folders() -> tuple[Path, ...]:
    """Every folder that is searched for weights."""
    return tuple(Path(folder) for folder in folder_paths.get_folder_paths(FOLDER))


def weight_files() -> list[str]:
    """Names of all files in those folders."""
    return folder_paths.get_filename_list(FOLDER)


def weight_location(name: str) -> Path | None:
    """Path of the file of that name, or None."""
    found = folder_paths.get_full_path(FOLDER, name)
    return None if found is None else Path(found)


def fingerprint(path: str | Path | None) -> str:
    """Changes when a file does, so that ComfyUI runs a node again."""
    if path is None or not Path(path).is_file():
        return str(path)
    status = Path(path).stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"


class Managed:
    """A runtime object (an `Animator`, say) whose network ComfyUI moves, counts and frees while it lives.

    What a loader node gives out; `ready` hands the object over with its network on the device.
    """

    def __init__(self, runtime: Any) -> None:
        self.runtime = runtime
        self.patcher = _WholePatcher(
            runtime.network,
            load_device=comfy.model_management.get_torch_device(),
            offload_device=comfy.model_management.unet_offload_device(),
        )
        runtime.patcher = self.patcher  # ComfyUI itself holds it by a weak reference alone


class Absent:
    """Stands for optional weights that were not found; using them says how to get them."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence


def ready(*models: Managed | Absent | None) -> tuple[Any, ...]:
    """The runtime objects, their networks loaded onto the device by ComfyUI's memory management."""
    for model in models:
        if isinstance(model, Absent):
            raise BadCheckpoint(model.sentence)
    patchers = [model.patcher for model in models if model is not None]
    with torch.inference_mode(False):
        comfy.model_management.load_models_gpu(patchers, force_full_load=True)
    return tuple(None if model is None else model.runtime for model in models)


def loaded(runtime: Any) -> Any:
    """A runtime object that a node makes for itself, on the device; ComfyUI manages it while it lives."""
    return ready(Managed(runtime))[0]


class _WholePatcher(ModelPatcher):
    """Moves a network as a whole: its layers are plain ones, which can't stream their weights in."""

    def partially_unload(self, *arguments: Any, **options: Any) -> int:
        return 0


class Progress:
    """ComfyUI's progress bar as the callables that GoHD takes; each call also honours interruption.

    Args:
        stages: shares of the whole for work that comes in named stages, in order.
    """

    TOTAL = 1000

    def __init__(self, **stages: float) -> None:
        self._bar = comfy.utils.ProgressBar(self.TOTAL)
        whole = sum(stages.values()) or 1.0
        self._stages, start = {}, 0.0
        for name, share in stages.items():
            self._stages[name] = (start / whole, share / whole)
            start += share
        self._shown = 0.0

    def __call__(self, done: int, total: int) -> None:
        self._update(0.0, 1.0, done, total)

    def stage(self, name: str, done: int, total: int) -> None:
        """Progress within one of the stages."""
        self._update(*self._stages[name], done, total)

    def watched(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        """Passes batches of frames [b, 3, H, W] in -1..1 through, and shows one of them now and then."""
        for frames in batches:
            now = time.monotonic()
            if now - self._shown >= PREVIEW_SECONDS:
                self._shown = now
                self._bar.update_absolute(
                    self._bar.current, self.TOTAL, ("JPEG", preview_picture(frames[-1]), PREVIEW_SIZE)
                )
            yield frames

    @staticmethod
    def should_stop() -> bool:
        """Whether the user has asked ComfyUI to stop."""
        return comfy.model_management.processing_interrupted()

    def _update(self, start: float, share: float, done: int, total: int) -> None:
        self._bar.update_absolute(round(self.TOTAL * (start + share * done / max(total, 1))), self.TOTAL)


def translate_errors(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates `execute`: `Interrupted` becomes ComfyUI's own, an `ImportError` says what to install."""

    @functools.wraps(execute)
    def run(cls: type, **inputs: Any) -> Any:
        try:
            return execute(cls, **inputs)
        except Interrupted as stop:
            raise comfy.model_management.InterruptProcessingException() from stop
        except ImportError as error:
            needed = Path(__file__).resolve().parents[1] / "requirements.txt"
            remedy = f"in ComfyUI's environment run: pip install -r {needed}"
            raise missing_library(error, "This node", remedy) from error

    return run


def server() -> Any:
    """ComfyUI's running server."""
    from server import PromptServer

    return PromptServer.instance


def warn_user(sentence: str | None) -> None:
    """A warning where the user looks: on the node that runs, and in the log. None says nothing."""
    if sentence is None:
        return
    from comfy_execution.utils import get_executing_context

    logger.warning(sentence)
    context = get_executing_context()
    if context is not None:
        server().send_progress_text(sentence, context.node_id)


def video_part(video: Any) -> dict[str, Any]:
    """Part of its file that a VIDEO is: `start` and `seconds`, and `crop` (left, top, width, height) or None.

    Core trims and crops without writing; it has no public name for the crop.
    """
    start, seconds = getattr(video, "get_active_trim_window", lambda: (0.0, 0.0))()
    private = [f"_{kind.__name__}__crop" for kind in type(video).__mro__]
    crop = next(
        (found for name in (*private, "crop") if (found := getattr(video, name, None)) is not None), None
    )
    if callable(crop):
        crop = None
    if isinstance(crop, Mapping):
        crop = tuple(crop[key] for key in ("x", "y", "width", "height"))
    crop = None if crop is None or not any(crop[2:]) else tuple(int(value) for value in crop)
    return {"start": float(start), "seconds": float(seconds), "crop": crop}


def to_images(frames: Tensor) -> Tensor:
    """Frames [b, 3, H, W] in -1..1 as ComfyUI's IMAGE: [b, H, W, 3] in 0..1 on its intermediate device."""
    images = ((frames.float() + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1)
    return images.contiguous().to(comfy.model_management.intermediate_device())


def image_batch(frames: Iterable[Tensor]) -> Tensor:
    """An IMAGE batch [T, H, W, 3] of all frames, which come in batches [b, 3, H, W]."""
    return torch.cat([to_images(batch) for batch in frames])


def unmade(output: str, remedy: str) -> Any:
    """In place of an output that was not asked for: what is wired to it does not run, and says why."""
    from comfy_execution.graph_utils import ExecutionBlocker

    return ExecutionBlocker(f"The output {output} was not made. {remedy}")


def intermediate(value: Tensor) -> Tensor:
    """A tensor where ComfyUI keeps what passes between nodes."""
    return value.to(comfy.model_management.intermediate_device())


def output_path(prefix: str, ending: str, *, temporary: bool = False) -> tuple[Path, str]:
    """A new numbered file in the output (or temp) folder, and its sub-folder; prefixes can't leave it."""
    root = folder_paths.get_temp_directory() if temporary else folder_paths.get_output_directory()
    inside(root, prefix)
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(prefix, root)
    return Path(folder) / f"{name}_{counter:05}_{ending}", subfolder


def inside(root: str | Path, name: str) -> Path:
    """root / name; `BadInput` when that leads out of root."""
    path = (Path(root) / name).resolve()
    if not path.is_relative_to(Path(root).resolve()):
        raise BadInput(f"{name!r} leads out of ComfyUI's folder {root}; give a name inside it.")
    return path


def names_of(*endings: str) -> list[str]:
    """Files of those endings in the input folder and in output/gohd, as ComfyUI annotates them."""
    found = []
    for kind, root, folder in (
        ("input", folder_paths.get_input_directory(), "*"),
        ("output", folder_paths.get_output_directory(), "gohd/**/*"),
    ):
        paths = (path for ending in endings for path in Path(root).glob(f"{folder}.{ending}"))
        names = (path.relative_to(root).as_posix() for path in paths)
        found += [f"{name} [{kind}]" for name in sorted(names)]
    return found


def annotated_path(name: str) -> Path:
    """The file behind an annotated name ("a.safetensors [output]"); `BadInput` outside ComfyUI's folders."""
    plain, root = folder_paths.annotated_filepath(name)
    return inside(root or folder_paths.get_input_directory(), plain)


def file_problem(name: str | None, kind: str, advice: str) -> str | None:
    """One sentence, with advice, when there is no file behind an annotated name; None for an unknown name."""
    if name is None:
        return None
    try:
        path = annotated_path(name)
    except BadInput as problem:
        return str(problem)
    return None if path.is_file() else f"There is no {kind} {path}; {advice}"


def text_problem(parse: Callable[[str], Any], text: str | None) -> bool | str:
    """For `validate_inputs`: why `parse` refuses a widget's text, else True, also for a wired one (None)."""
    try:
        return text is None or parse(text) is not None
    except BadInput as problem:
        return str(problem)


def files_fingerprint(name: str | None, *endings: str) -> str:
    """Changes when a chosen file does; while it is wired, and not known yet, any of them may be meant."""
    names = names_of(*endings) if name is None else [name]
    return " ".join(fingerprint(annotated_path(each)) for each in names)


def preview_picture(frame: Tensor) -> Any:
    """A frame [3, H, W] in -1..1 as a PIL picture."""
    from PIL import Image

    return Image.fromarray((to_images(frame[None])[0] * 255).round().to(torch.uint8).cpu().numpy())
