"""Tracks of faces through a film, by the mesh reader: of a chosen person, or of everybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice

import numpy as np

from gohd_core.driving.appearance import appearance_distance, appearance_of
from gohd_core.driving.locators import FaceObservation
from gohd_core.driving.shots import Shots, face_places, face_steps, jumps
from gohd_core.face.mediapipe.landmarks import FaceLandmarks
from gohd_core.face.mediapipe.reader import FaceReader, choose_face
from gohd_core.face.picking import FaceChoice, overlap
from gohd_core.images import Image
from gohd_core.kernels.threads import prefetched

BLOCK, LARGEST_BLOCK = 16, 2**25
"""Frames that go through the networks together, and at most how many pixels (four frames of 2160p); fixed, so
that the caller's batches change nothing."""
SAME = 0.5
"""Overlap (intersection over union) from which on two people are one."""
LOOK = 1.0
"""Interval of searches for people near a chosen one, seconds. Everybody is searched for in every block."""
HIDDEN = 2.0
"""Seconds for which a face beside another may be of somebody who was lost behind it, and is nobody new."""
NEAR = 1.5
"""Distance from the chosen person, in the sum of both sizes, up to which other people are followed, too."""
LEARNT = 0.2
"""Share of the newest block in a person's appearance."""
ALIKE, CLEARLY = 9.0, 2.0
"""Distance of appearance up to which a face is that of somebody who is gone; and difference of two distances
from which on appearance decides. One person's faces lie 3 to 8 apart in the mean, others' 10 and more."""


class MeshTracks:
    """Observations with landmarks from meshes, for extractors that align faces by them."""

    def __init__(self, reader: FaceReader, choice: FaceChoice | None = None) -> None:
        self.reader, self.choice = reader, choice or FaceChoice()

    def locate(self, frames: Iterable[tuple[float, Image]]) -> Iterator[FaceObservation]:
        """One observation a frame."""
        shots, shot, place = Shots(), None, None
        for block, faces in follow(frames, self.reader, self.choice):
            for (time, image), face in zip(block, faces, strict=True):
                if face is None:
                    place = None
                    yield FaceObservation(time, image)
                    continue
                before, last = shot, place
                [shot], place = shots.add([image], [face]), face_places(face.points)
                another = before is not None and shot != before
                jumped = last is not None and bool(jumps(*face_steps(np.stack([last, place]))))
                yield FaceObservation(time, image, face.landmarks68, cut=another or jumped)


def follow(
    frames: Iterable[tuple[float, Image]], reader: FaceReader, choice: FaceChoice
) -> Iterator[tuple[list[tuple[float, Image]], list[FaceLandmarks | None]]]:
    """The chosen face in frames with their times, block by block; None where it is not seen."""
    person = ChosenPerson(reader, choice)
    for block in prefetched(blocks(frames)):
        yield block, person.follow(block)[0]


def blocks(frames: Iterable[tuple[float, Image]]) -> Iterator[list[tuple[float, Image]]]:
    """Frames in blocks of `BLOCK`, fewer of large ones, all of one size in each."""
    frames = iter(frames)
    ahead = list(islice(frames, 1))
    while ahead or (ahead := list(islice(frames, 1))):
        size = ahead[0][1].shape
        count = max(1, min(BLOCK, LARGEST_BLOCK // (size[0] * size[1])))
        block = ahead + list(islice(frames, count - len(ahead)))
        same = next((k for k, (_, image) in enumerate(block) if image.shape != size), len(block))
        block, ahead = block[:same], block[same:]
        yield block


class People:
    """Follows everybody in a film, each by a track of their own; new people are looked for in every block.

    Whose ways cross are told apart by their appearance, and so is who comes back elsewhere.

    Attributes:
        last: of each person, where they were seen last.
        earlier: of people who are new or back in the block, their faces in the frames of the block before, in
            which they were not seen.
        before: the pictures of that block.
    """

    def __init__(self, reader: FaceReader, most: int = 8) -> None:
        self.reader, self.most = reader, most
        self.last: list[FaceLandmarks] = []
        self.earlier: dict[int, list[FaceLandmarks | None]] = {}
        self.before: list[Image] = []
        self._tracked: list[list[FaceLandmarks | None]] = []
        self._appearance: list[np.ndarray] = []
        self._looked: float | None = None
        self._seen: list[bool] = []
        self._since: list[float] = []

    def follow(self, block: list[tuple[float, Image]]) -> list[list[FaceLandmarks | None]]:
        """Each known person's face in the frames of a block; people who are new are last."""
        images, now, before = [image for _, image in block], block[0][0], list(self._seen)
        if self._looked is None or self._due(now - self._looked):
            self._look(images[0], now)
            self._looked = now
        came = [k for k, seen in enumerate(self._seen) if seen and not (k < len(before) and before[k])]
        self.earlier = {k: self._back(self.last[k]) for k in came if not any(self._tracked_of(k))}
        tracks = self._tracks(images)
        met = set()
        for first, second in combinations(range(len(tracks)), 2):
            if self._meet(tracks, first, second):
                met |= {first, second}
                for row, image in enumerate(images):
                    self._part(tracks, first, second, row, image)
        self.before, self._tracked = images, tracks
        self._seen = [track[-1] is not None for track in tracks]
        for k, track in enumerate(tracks):
            if self._seen[k]:
                self._since[k] = block[-1][0]
            self.last[k] = next((face for face in reversed(track) if face is not None), self.last[k])
            if self._seen[k] and k not in met:
                self._appearance[k] += LEARNT * (
                    appearance_of(images[-1], self.last[k]) - self._appearance[k]
                )
        return tracks

    def _due(self, seconds: float) -> bool:
        """Whether new people are searched for, so many seconds after the last search."""
        return True

    def _back(self, face: FaceLandmarks) -> list[FaceLandmarks | None]:
        """The face of somebody new in the frames of the block before, back to where they came."""
        if not self.before:
            return []
        found = self.reader.track(self.before[::-1], face, pick=lambda faces, last, image: None)[::-1]
        for row in range(len(found) - 1, -1, -1):
            here = found[row]
            others = [track[row] for track in self._tracked]
            if here is None or any(other and overlap(here.box, other.box) > SAME for other in others):
                return [None] * (row + 1) + found[row + 1 :]
        return found

    def _tracked_of(self, person: int) -> list[FaceLandmarks | None]:
        return self._tracked[person] if person < len(self._tracked) else []

    def _tracks(self, images: list[Image]) -> list[list[FaceLandmarks | None]]:
        return [self._track(images, last) for last in self.last]

    def _track(self, images: list[Image], last: FaceLandmarks) -> list[FaceLandmarks | None]:
        return self.reader.track(images, last, choice=FaceChoice(box=last.box))

    def _look(self, image: Image, now: float) -> None:
        """Looks for people who are new, or who come back elsewhere, in the picture of a time in seconds."""
        for face in self.reader.read(image):
            if any(overlap(face.box, other.box) >= 0.1 and _alike(face, other) for other in self.last):
                continue
            appearance = appearance_of(image, face)
            gone = [
                (appearance_distance(appearance, self._appearance[k]), k)
                for k, seen in enumerate(self._seen)
                if not seen
            ]
            apart, who = min(gone, default=(np.inf, 0))
            if apart < ALIKE:
                self.last[who], self._seen[who] = face, True
            elif len(self.last) < self.most and not self._behind(face, now):
                self._add(face, appearance, now)

    def _behind(self, face: FaceLandmarks, now: float) -> bool:
        """Whether a face may be of somebody who was lost a moment ago, and is half hidden behind another."""
        lost = any(not seen and now - self._since[k] < HIDDEN for k, seen in enumerate(self._seen))
        people = zip(self.last, self._seen, strict=True)
        return lost and any(
            seen and _distance(face, other) < face.size + other.size for other, seen in people
        )

    def _add(self, face: FaceLandmarks, appearance: np.ndarray, now: float) -> None:
        self.last.append(face)
        self._appearance.append(appearance)
        self._seen.append(True)
        self._since.append(now)

    def _meet(self, tracks: list[list[FaceLandmarks | None]], first: int, second: int) -> bool:
        """Whether two people come so near in a block that their tracks may be confused."""
        a, b = self.last[first], self.last[second]
        ways = [(a, b)]
        for one, other in zip(tracks[first], tracks[second], strict=True):
            a, b = one or a, other or b
            ways.append((a, b))
        return any(overlap(a.box, b.box) > 0 for a, b in ways)

    def _part(
        self, tracks: list[list[FaceLandmarks | None]], first: int, second: int, row: int, image: Image
    ) -> None:
        """Gives the faces of two people in a frame to whom they look like.

        A face that both tracks have and that looks like both is of who was seen just before, or was nearer.
        """
        a, b = tracks[first][row], tracks[second][row]
        if a is None and b is None:
            return
        same = a is not None and b is not None and overlap(a.box, b.box) > SAME
        away = [
            [0.0, 0.0]
            if face is None
            else [appearance_distance(appearance_of(image, face), self._appearance[k]) for k in pair]
            for face, pair in ((a, (first, second)), (b, (second, first)))
        ]
        crossed = away[0][0] + away[1][0] - away[0][1] - away[1][1]
        if same:
            apart = away[0][0] - away[0][1]
            claims = [self._claim(tracks[k], row, k) for k in (first, second)]
            mine = apart < 0 if abs(apart) > CLEARLY else claims[0] <= claims[1]
            tracks[second if mine else first][row] = None
        elif crossed > CLEARLY:
            tracks[first][row], tracks[second][row] = b, a

    def _claim(self, track: list[FaceLandmarks | None], row: int, person: int) -> tuple[bool, float]:
        """Whether somebody was not seen just before, and how far away before that; the least has the face."""
        before = track[row - 1] is not None if row else self._seen[person]
        return not before, _way(track, row, self.last[person])


class ChosenPerson(People):
    """Follows one person, the first of `last`; of the others those alone who come near.

    Where that person is lost, a face counts as theirs unless it looks like another's; after a cut, or of
    several such, the choice decides.
    """

    def __init__(self, reader: FaceReader, choice: FaceChoice, most: int = 8) -> None:
        super().__init__(reader, most)
        self.choice = choice

    def follow(self, block: list[tuple[float, Image]]) -> list[list[FaceLandmarks | None]]:
        """The person's face in the frames of a block, first; then others', seen or not."""
        if self.last:
            return super().follow(block)
        images = [image for _, image in block]
        track = self.reader.track(images, pick=self._pick)
        row = next((k for k, face in enumerate(track) if face is not None), None)
        if row is None:
            return [track]
        self._add(track[row], appearance_of(images[row], track[row]), block[row][0])
        return [[None] * row + each for each in super().follow(block[row:])]

    def _due(self, seconds: float) -> bool:
        return seconds >= LOOK

    def _back(self, face: FaceLandmarks) -> list[FaceLandmarks | None]:
        return []

    def _tracks(self, images: list[Image]) -> list[list[FaceLandmarks | None]]:
        first, *others = self.last
        tracks = [self.reader.track(images, first, pick=self._pick)]
        for other in others:
            near = _distance(first, other) < NEAR * (first.size + other.size)
            tracks.append(self._track(images, other) if near else [None] * len(images))
        return tracks

    def _look(self, image: Image, now: float) -> None:
        if self._seen[0]:  # Else a face that is new may be theirs.
            super()._look(image, now)

    def _pick(
        self, faces: Sequence[FaceLandmarks], last: FaceLandmarks | None, image: Image
    ) -> FaceLandmarks | None:
        """The person among the faces of a frame in which they were lost."""
        if self.last:
            looks = [appearance_of(image, face) for face in faces]
            away = [[appearance_distance(look, known) for known in self._appearance] for look in looks]
            faces = [
                face
                for face, (mine, *others) in zip(faces, away, strict=True)
                if min(others, default=np.inf) > min(ALIKE, mine - CLEARLY)
            ]
        return choose_face(faces, self.choice, last, image)


def _alike(face: FaceLandmarks, other: FaceLandmarks) -> bool:
    """Whether one lies about where the other does."""
    return _distance(face, other) < max(face.size, other.size)


def _distance(face: FaceLandmarks, other: FaceLandmarks) -> float:
    return float(np.linalg.norm(face.points[:, :2].mean(0) - other.points[:, :2].mean(0)))


def _way(track: list[FaceLandmarks | None], row: int, last: FaceLandmarks) -> float:
    before = next((track[k] for k in range(row - 1, -1, -1) if track[k] is not None), last)
    return _distance(track[row], before)
