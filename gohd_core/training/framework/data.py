"""Examples by number: the n-th example of a run depends on the seed and n alone, so that data order is
the same however many processes or loader workers share it, and resuming needs nothing but n."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from gohd_core.choices import SPLITS
from gohd_core.clips import Clip, ClipDataset
from gohd_core.errors import BadInput
from gohd_core.training.framework.settings import DataConfig
from gohd_core.training.framework.task import Batch, Draw

_log = logging.getLogger(__name__)
_Read = TypeVar("_Read")
_ATTEMPTS = 50
"""Clips tried for one example before a run gives up skipping bad ones."""


@dataclass(frozen=True)
class Failure:
    """An example that could not be drawn; the training process raises its sentence."""

    sentence: str


class ClipExamples(Dataset):
    """Examples drawn from the clips of one split; every pass goes over all clips in a new order.

    `self[n]` is a dict of arrays or tensors, plus "clip" (name), "draw" (n) and "skipped" (sentences
    about bad clips that were passed over on the way).
    """

    def __init__(self, clips: Sequence[Clip], draw: Draw, config: DataConfig, *, seed: int, split: str):
        self.clips = list(clips)
        self.draw = draw
        self.skip = config.bad_clips == "skip"
        self.space = config.space
        self.stream = (seed, SPLITS.index(split))

    def __getitem__(self, number: int) -> dict[str, Any] | Failure:
        skipped: list[str] = []
        for attempt in range(_ATTEMPTS if self.skip else 1):
            rng = np.random.default_rng([*self.stream, number, attempt])
            clip = self.clips[self._clip(number) if attempt == 0 else int(rng.integers(len(self.clips)))]
            try:
                self._check(clip)
                example = self.draw(clip, rng)
            except BadInput as error:
                skipped.append(_sentence(clip, error))
                continue
            return {**example, "clip": clip.path.stem, "draw": number, "skipped": skipped}
        if self.skip:
            return Failure(f"{_ATTEMPTS} clips in a row can't be used; the last: {skipped[-1]}")
        return Failure(f"{skipped[-1]} (data.bad_clips=skip would go on without it)")

    def _clip(self, number: int) -> int:
        epoch, position = divmod(number, len(self.clips))
        return int(_order(*self.stream, epoch, len(self.clips))[position])

    def _check(self, clip: Clip) -> None:
        if clip.info.get("space") != self.space:
            raise BadInput(
                f"its coefficients are in the space {clip.info.get('space')!r}, but {self.space!r} "
                "is wanted (data.space)."
            )


@lru_cache(maxsize=4)
def _order(seed: int, stream: int, epoch: int, count: int) -> np.ndarray:
    return np.random.default_rng([seed, stream, epoch]).permutation(count)


def _sentence(clip: Clip, error: BadInput) -> str:
    return f"The clip {clip.path} can't be used: {error}"


def find_clips(config: DataConfig, split: str) -> list[Clip]:
    """The clips of a split in all folders of a config, in order; a missing or foreign folder raises."""
    if not config.folders:
        raise BadInput("No training data was named; give --data DIR (or data.folders in the config).")
    clips: list[Clip] = []
    for folder in config.folders:
        dataset = ClipDataset(folder)
        if dataset.space != config.space:
            raise BadInput(
                f"The data set {folder} is in the space {dataset.space!r}, but this config trains "
                f"{config.space!r} (data.space); use other data or another config."
            )
        clips += [dataset.clip(entry) for entry in dataset.select(split)]
    return clips


def read_each(config: DataConfig, split: str, read: Callable[[Clip], _Read], limit: int) -> Iterator[_Read]:
    """Results of `read` for the first `limit` clips of a split.

    A clip that can't be used stops the run with its name, or is logged and skipped (`bad_clips`).
    """
    for clip in find_clips(config, split)[:limit]:
        try:
            found = read(clip)
        except BadInput as error:
            if config.bad_clips != "skip":
                raise BadInput(_sentence(clip, error)) from error
            _log.warning("%s", _sentence(clip, error))
            continue
        yield found


def clip_examples(config: DataConfig, draw: Draw, *, seed: int, split: str) -> ClipExamples | None:
    """The examples of a split, or None when it has no clips; a run without training clips is an error."""
    clips = find_clips(config, split)
    if not clips and split == "train":
        raise BadInput(f"{', '.join(config.folders)} holds no clip of the split 'train'.")
    return ClipExamples(clips, draw, config, seed=seed, split=split) if clips else None


class Numbers(Sampler):
    """Endless batches of example numbers: the share of one process in the batches that all share."""

    def __init__(self, batch: int, *, start: int = 0, rank: int = 0, processes: int = 1) -> None:
        self.batch, self.start, self.rank, self.processes = batch, start, rank, processes

    def __iter__(self) -> Iterator[list[int]]:
        first = self.start + self.rank * self.batch
        while True:
            yield list(range(first, first + self.batch))
            first += self.batch * self.processes


def loader(
    examples: Dataset, config: DataConfig, *, start: int, rank: int, processes: int, pin: bool
) -> Iterator[Batch]:
    """Endless training batches of one process, from example number `start` on."""
    return iter(
        DataLoader(
            examples,
            batch_sampler=Numbers(config.batch, start=start, rank=rank, processes=processes),
            num_workers=config.workers,
            prefetch_factor=config.prefetch if config.workers else None,
            collate_fn=collate,
            pin_memory=pin,
            multiprocessing_context="spawn" if config.workers else None,
            worker_init_fn=_outlive_interrupts,
            generator=torch.Generator(),  # else the loader takes a number from torch's own generator
        )
    )


def _outlive_interrupts(_: int) -> None:
    """Ctrl-C reaches loader workers too; they go on, so that the run can end its step and save."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def fixed_batches(examples: Dataset, config: DataConfig) -> list[Batch]:
    """The first few batches of a split, the same every time; for validation."""
    size = config.batch
    return [
        checked(collate([examples[n] for n in range(i * size, (i + 1) * size)]))
        for i in range(config.validation_batches)
    ]


def collate(examples: Sequence[dict[str, Any] | Failure]) -> Batch | Failure:
    """Stacks examples: arrays and numbers to tensors [B, ...], text to lists."""
    for example in examples:
        if isinstance(example, Failure):
            return example
    batch: Batch = {}
    for key in examples[0]:
        values = [example[key] for example in examples]
        if key == "skipped":
            batch[key] = [sentence for value in values for sentence in value]
        elif isinstance(values[0], str):
            batch[key] = values
        else:
            tensors = [torch.as_tensor(value, device="cpu") for value in values]
            if len({tensor.shape for tensor in tensors}) > 1:
                shapes = {e["clip"]: list(t.shape) for e, t in zip(examples, tensors, strict=True)}
                return Failure(f"{key!r} differs in shape between the clips of a batch: {shapes}.")
            batch[key] = torch.stack(tensors)
    return batch


def checked(batch: Batch | Failure) -> Batch:
    """The batch itself; raises `BadInput` with the sentence of a failure."""
    if isinstance(batch, Failure):
        raise BadInput(batch.sentence)
    return batch


def to_device(batch: Batch, device: torch.device) -> Batch:
    """A batch with its tensors on a device."""
    return {
        key: value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
        for key, value in batch.items()
    }
