"""Log of a run: a bar with speed and time left, TensorBoard, and JSON lines beside it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from gohd_core.constants import SAMPLE_RATE
from gohd_core.training.framework.image_grids import write_png
from gohd_core.training.framework.task import Sample
from gohd_core.video.writer import render_video

_log = logging.getLogger(__name__)


class RunLog:
    """The log of one run; on processes other than the first it does nothing.

    Writes `log.jsonl` (one object a line, each with "step" and "event"), `tensorboard/`, `pictures/`
    and `samples/` into the run's folder.
    """

    def __init__(
        self, folder: Path, *, active: bool, total: float, done: float, unit: str, bar: bool
    ) -> None:
        self.folder, self.active = folder, active
        self._file = self._board = self._bar = None
        if not active:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self._file = _append(folder / "log.jsonl")
        self._board = _tensorboard(folder / "tensorboard")
        self._bar = _progress_bar(total, done, unit) if bar else None

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def event(self, name: str, step: int, **values: Any) -> None:
        """One line of `log.jsonl`."""
        if self._file:
            line = {"event": name, "step": step, "time": round(time.time(), 3), **values}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()

    def say(self, step: int, sentence: str) -> None:
        """A sentence for people, in the log file and on the library's logger."""
        if self.active:
            _log.info("%s", sentence)
            self.event("note", step, text=sentence)

    def scalars(self, event: str, step: int, values: Mapping[str, float]) -> None:
        """Figures under names like "generator/reconstruction"."""
        self.event(event, step, **values)
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(f"{event}/{name}", value, step)

    def pictures(self, step: int, pictures: Mapping[str, np.ndarray]) -> None:
        """Pictures u8 [H, W, 3] by name."""
        if not self.active or not pictures:
            return
        (self.folder / "pictures").mkdir(exist_ok=True)
        for name, picture in pictures.items():
            write_png(self.folder / "pictures" / f"{name}_{step:08d}.png", picture)
            if self._board:
                self._board.add_image(name, picture, step, dataformats="HWC")

    def samples(self, step: int, samples: Mapping[str, Sample]) -> None:
        """Clips to watch, as files; their sound goes to TensorBoard too."""
        if not self.active or not samples:
            return
        (self.folder / "samples").mkdir(exist_ok=True)
        for name, sample in samples.items():
            audio = None if sample.audio is None else (sample.audio, SAMPLE_RATE)
            render_video(self.folder / "samples" / f"{name}_{step:08d}.mp4", [sample.frames], audio=audio)
            if self._board and audio:
                self._board.add_audio(name, sample.audio[None], step, sample_rate=SAMPLE_RATE)

    def progress(self, done: float, **shown: str) -> None:
        """Moves the bar to `done` and shows a few values beside it."""
        if self._bar is not None:
            self._bar.set_postfix(shown, refresh=False)
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Closes everything."""
        for part in (self._file, self._board, self._bar):
            if part is not None:
                part.close()


def _append(path: Path) -> TextIO:
    """Opens a file of lines to go on; a line that a killed run left half-written is ended."""
    broken = path.is_file() and not path.read_bytes().endswith(b"\n")
    file = path.open("a", encoding="utf-8")
    if broken:
        file.write("\n")
    return file


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        _log.warning("TensorBoard is not installed, so figures go to log.jsonl alone.")
        return None
    return SummaryWriter(str(folder))


def _progress_bar(total: float, done: float, unit: str) -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        _log.warning("tqdm is not installed, so there is no progress bar.")
        return None
    return tqdm(total=total, initial=done, unit=unit, dynamic_ncols=True, smoothing=0.05)
