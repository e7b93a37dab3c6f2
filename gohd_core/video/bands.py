"""Frames as bands of rows: only what changes from frame to frame, while it is in a core's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from torch import Tensor

from gohd_core.errors import BadInput

BAND = 32
"""Rows of a band: few enough for the cache, enough for each call."""
_BATCH_PIXELS = 2**21
"""Whole frames are handed on in batches of at most this many pixels: one frame of 1080p. Larger batches are
slower as well as larger, because the system allocates blocks past 32 MiB page by page, each time."""

Region = tuple[slice, slice]
"""Rows and columns of a frame."""
Change = Callable[[Tensor, Region], Tensor]
"""New pixels [...,h,w] of those that a region of frames has."""


class Band(NamedTuple):
    """Pixels [3,h,w] of a region of a frame."""

    region: Region
    pixels: Tensor


class BandedFrames(Iterator[Tensor]):
    """Frames that differ from the one before in some bands. Iterated, they are whole frames [b,3,H,W] as of
    any stream, in batches of at most 2 megapixels.

    A face of 925 px in a picture of 2 megapixels is pasted, marked and made ready for H.264 in 29 ms of
    processor time a frame, one of 689 px in 20 ms; whole frames took 59 and 42.

    Attributes:
        still: [3,H,W] float32 on the CPU, what bands are written over.
        region: outside it all frames are `still`.
        frames: each frame's bands, to be taken in order and before the next frame is asked for.
    """

    def __init__(self, still: Tensor, region: Region, frames: Iterable[Iterable[Band]]) -> None:
        self.still, self.region, self.frames = still, region, iter(frames)

    def changed(self, change: Change) -> BandedFrames:
        """The same frames with other pixels, by a rule that works on each pixel alone."""
        whole = whole_of(self.still)
        still = self.still if self.region == whole else change(self.still, whole)
        changed = (
            (Band(region, change(pixels, region)) for region, pixels in bands) for bands in self.frames
        )
        return BandedFrames(still, self.region, changed)

    def __next__(self) -> Tensor:
        batch, count, all_new = None, 0, self.region == whole_of(self.still)
        for bands in self.frames:
            if batch is None:
                most = max(1, _BATCH_PIXELS // self.still[0].numel())
                batch = self.still.new_empty(most, *self.still.shape)
            frame = batch[count] if all_new else batch[count].copy_(self.still)
            for (rows, columns), pixels in bands:
                frame[:, rows, columns] = pixels
            count += 1
            if count == len(batch):
                break
        if batch is None:
            raise StopIteration
        return batch[:count]


def bands_of(frames: Iterable[Tensor]) -> BandedFrames | None:
    """A stream of frames [b,3,H,W] as bands: of whole frames, where the stream is no `BandedFrames` itself;
    None where there are none.

    Raises: `BadInput`, when they are drawn, for frames of changing size.
    """
    if isinstance(frames, BandedFrames):
        return frames
    single = (frame for batch in frames for frame in _checked(batch))
    first = next(single, None)
    if first is None:
        return None
    whole = whole_of(first)
    return BandedFrames(blank(first), whole, _whole(first, single, whole))


def whole_of(picture: Tensor) -> Region:
    """All rows and columns of a picture [...,H,W]."""
    return slice(0, picture.shape[-2]), slice(0, picture.shape[-1])


def union(one: Region, other: Region) -> Region:
    """The smallest region that has both."""
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))


def blank(picture: Tensor) -> Tensor:
    """The `still` of frames that are wholly new: a picture of that shape, without memory of its own."""
    return picture.new_zeros(()).expand(picture.shape)


def rows_in_bands(rows: slice) -> Iterator[slice]:
    """The rows in bands; where bands of two regions begin is the same."""
    start = rows.start
    while start < rows.stop:
        stop = min((start // BAND + 1) * BAND, rows.stop)
        yield slice(start, stop)
        start = stop


def _whole(first: Tensor, rest: Iterator[Tensor], whole: Region) -> Iterator[list[Band]]:
    yield [Band(whole, first)]
    size = first.shape
    del first  # A batch that is done may go.
    for index, frame in enumerate(rest, 1):
        if frame.shape != size:
            raise BadInput(
                f"Frames change size from {tuple(size[1:])} to {tuple(frame.shape[1:])} at frame {index}; "
                "a video has one size."
            )
        yield [Band(whole, frame)]


def _checked(batch: Tensor) -> Tensor:
    if batch.ndim != 4 or batch.shape[1] != 3:
        raise BadInput(f"Frames have the shape [b, 3, H, W]; these have {list(batch.shape)}.")
    return batch.detach()
