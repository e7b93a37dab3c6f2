"""Properties of any input, on generated inputs (Hypothesis); the same ones each time."""

from __future__ import annotations

import io
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

pytest.importorskip("hypothesis", reason="hypothesis is not installed")
av = pytest.importorskip("av", reason="PyAV is not installed")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from gohd_core.audio import audio_features, load_audio  # noqa: E402
from gohd_core.cli import main  # noqa: E402
from gohd_core.commands.inputs import result_names  # noqa: E402
from gohd_core.constants import FPS  # noqa: E402
from gohd_core.driving.result import FrameCoefficients, assemble_motion  # noqa: E402
from gohd_core.driving.steadiness import SmoothingConfig  # noqa: E402
from gohd_core.errors import GohdError  # noqa: E402
from gohd_core.files import atomic_path  # noqa: E402
from gohd_core.images import read_picture, rgb_images, to_tensor  # noqa: E402
from gohd_core.mesh.animator import MeshAnimator  # noqa: E402
from gohd_core.mesh.source import mesh_source  # noqa: E402
from gohd_core.pipeline import frame_count  # noqa: E402
from gohd_core.video.reader import VideoReader  # noqa: E402
from tests.support.mesh_faces import astronaut_crop  # noqa: E402


def tried(count: int):
    """Bounded, and the same examples in every run."""
    return settings(max_examples=count, deadline=None, derandomize=True, database=None)


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)


FORMATS = {
    "wav": ("WAV", ["PCM_16", "PCM_24", "FLOAT", "ULAW"]),
    "flac": ("FLAC", ["PCM_16", "PCM_24"]),
    "ogg": ("OGG", ["VORBIS"]),
    "mp3": ("MP3", ["MPEG_LAYER_III"]),
    "aiff": ("AIFF", ["PCM_16", "FLOAT"]),
}


@st.composite
def sounds(draw):
    kind = draw(st.sampled_from(sorted(FORMATS)))
    rate = draw(st.sampled_from([16_000, 22_050, 44_100, 48_000]))
    samples = draw(st.integers(rate // 10, rate))
    channels = draw(st.integers(1, 2))
    return kind, draw(st.sampled_from(FORMATS[kind][1])), noise(samples, samples, channels), rate


def heard_by_ffmpeg(path: Path) -> Fraction:
    """Seconds of sound that decoding gives, counted sample by sample."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        rate = stream.codec_context.sample_rate
        frames = list(container.decode(stream))
    lead = round(frames[0].time * rate) if path.suffix == ".ogg" else 0
    return Fraction(sum(frame.samples for frame in frames) + lead, rate)


@tried(12)
@given(sounds())
def test_any_sound_has_as_many_frames_as_ffmpeg_hears(sound) -> None:
    kind, subtype, samples, rate = sound
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"s.{kind}"
        soundfile.write(path, samples, rate, format=FORMATS[kind][0], subtype=subtype)
        seconds = heard_by_ffmpeg(path)
        waveform, found = load_audio(path)
        assert (found, len(waveform)) == (rate, samples.shape[1])
        assert Fraction(waveform.shape[1], rate) == seconds
        assert frame_count(audio_features(waveform, found)) == max(round(float(seconds) * FPS), 1)
        if kind not in ("ogg", "mp3"):
            assert np.abs(waveform.T - samples).max() < (0.03 if subtype == "ULAW" else 1e-4)


@st.composite
def pictures(draw):
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    grey = np.random.default_rng(height * 41 + width).integers(0, 256, (height, width)).astype(np.uint8)
    kind = draw(st.sampled_from(["L", "RGB", "RGBA", "LA", "P", "I;16", "I", "F"]))
    if kind in ("I;16", "I"):
        picture = Image.fromarray(
            (grey.astype(np.uint16) * 257).astype(np.uint16 if kind == "I;16" else np.int32)
        )
    elif kind == "F":
        picture = Image.fromarray(grey.astype(np.float32) / 255)
    elif kind == "P":
        picture = Image.fromarray(grey).quantize(256)
    else:
        picture = Image.fromarray(grey).convert(kind)
    ending = "tif" if kind in ("F", "I") else draw(st.sampled_from(["png", "tif"]))
    return grey, picture, ending, draw(st.integers(1, 8))


TURNS = [None, lambda p: p, np.fliplr, lambda p: p[::-1, ::-1], np.flipud, np.transpose]
TURNS += [lambda p: np.rot90(p, -1), lambda p: p[::-1, ::-1].T, np.rot90]


@tried(60)
@given(pictures())
def test_any_picture_is_read_as_it_looks(made) -> None:
    grey, picture, ending, turn = made
    exif = Image.Exif()
    exif[0x0112] = turn
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"p.{ending}"
        picture.save(path, exif=exif)
        shown = rgb_images(read_picture(path))[0]
    wanted = TURNS[turn](grey)
    assert shown.shape == (*wanted.shape, 3)
    assert np.abs(shown.astype(int) - wanted[..., None]).max() <= (40 if picture.mode == "P" else 1)


@st.composite
def faces_in_files(draw):
    """A photograph with a face, lighter or darker, greyer, with grain, in some kind of file."""
    face = astronaut_crop()[0]
    picture = face * draw(st.floats(0.3, 1.0)) + draw(st.floats(0, 40))
    picture += draw(st.floats(0, 12)) * noise(draw(st.integers(0, 9)), *face.shape)
    picture = picture.clip(0, 255).astype(np.uint8)
    kind = draw(st.sampled_from(["RGB", "RGBA", "L", "I;16", "F"]))
    if kind in ("I;16", "F"):
        grey = picture.mean(2)
        return Image.fromarray(
            (grey * 257).astype(np.uint16) if kind == "I;16" else (grey / 255).astype("f4")
        )
    return Image.fromarray(picture).convert(kind)


@tried(4)
@given(faces_in_files(), st.floats(-2, 2), st.floats(-2, 2))
def test_any_face_at_its_own_motion_is_its_picture(picture, right, down) -> None:
    """Wherever its mesh was read: a reader is off by a pixel or two."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.tif"
        picture.save(path)
        shown = rgb_images(read_picture(path))[0]
    crop = to_tensor([shown], torch.device("cpu"), torch.float32) * 2 - 1
    shift = torch.tensor([right, down, 0.0], dtype=torch.float32, device="cpu")
    source = mesh_source(crop, astronaut_crop()[1] + shift, None)
    with torch.inference_mode():
        frame = MeshAnimator().decode(source, source.own)
    assert (frame - crop).abs().max() < 0.1 * 2 / 255, "no level is another one"


@st.composite
def uneven_times(draw):
    steps = draw(st.lists(st.integers(10, 400), min_size=1, max_size=30))
    return np.cumsum([draw(st.integers(0, 3000)), *steps]) / 1000


@tried(12)
@given(uneven_times(), st.sampled_from(["mkv", "mp4"]))
def test_times_of_motion_are_the_times_of_the_frames(times, kind) -> None:
    """The brightness of a frame says how far the head is turned; so it is turned at that frame's time."""
    levels = np.linspace(30, 220, len(times)).round().astype(int)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"v.{kind}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.height = stream.width = 32
            stream.pix_fmt, stream.options = "yuv420p", {"crf": "1", "bf": "0", "preset": "ultrafast"}
            stream.codec_context.time_base = Fraction(1, 90_000)
            for time, level in zip(times, levels, strict=True):
                frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), level, np.uint8), format="rgb24")
                frame.time_base, frame.pts = Fraction(1, 90_000), round(time * 90_000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        film = VideoReader.open(path)
        played = [(time, image.mean()) for time, image in film.play()]
    found = np.array([time for time, _ in played])
    assert np.abs(found - (times - times[0])).max() < 2e-3
    none = np.zeros(64), np.zeros(2), np.zeros(80), np.zeros((68, 2))
    readings = [FrameCoefficients(np.array([0, level / 255, 0, 0, 0, 0]), *none) for _, level in played]
    driving = assemble_motion(
        readings,
        found.tolist(),
        source_fps=film.fps,
        fps=FPS,
        space="stylised",
        missing="hold",
        steadying=SmoothingConfig("none"),
    )
    motion = driving.motion.pose.values[:, 1].numpy() * 255
    at = np.arange(len(motion)) / FPS
    assert abs(len(motion) / FPS - (found[-1] + 1 / float(film.fps))) <= 0.5 / FPS + 1e-9
    assert np.abs(motion - np.interp(at, times - times[0], levels)).max() < 4


names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


@tried(40)
@given(st.lists(st.tuples(names, names), min_size=2, max_size=6, unique=True))
def test_any_two_inputs_make_two_outputs(groups) -> None:
    made = result_names([[Path(name) for name in group] for group in groups])
    assert len({name.casefold() for name in made}) == len(groups)
    assert all(0 < len(f"{name}.safetensors".encode()) <= 255 and "/" not in name for name in made)


@tried(80)
@given(
    st.sampled_from(["wav", "flac", "ogg", "mp3", "mp4", "avi", "mkv", "ts", "png", "jpg", "tif"]),
    st.binary(max_size=200),
    st.floats(0, 1),
    st.booleans(),
)
def test_unreadable_files_are_one_sentence(kind, junk, share, damaged) -> None:
    content = bytearray(whole_content(kind))
    place = int(share * len(content))
    content = bytes(content[:place]) + (junk + bytes(content[place + len(junk) :]) if damaged else junk)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{kind}"
        path.write_bytes(content)
        for read in (load_audio, read_picture, lambda path: list(VideoReader.open(path).play())):
            try:
                read(path)
            except GohdError as error:
                said = str(error)
                assert "\n" not in said and said.endswith(".") and len(said) < 400, said
        assert [each.name for each in Path(folder).iterdir()] == [path.name]


CONTAINERS = {"mp4": "mp4", "avi": "avi", "mkv": "matroska", "ts": "mpegts"}


def whole_content(kind: str) -> bytes:
    file = io.BytesIO()
    if kind in FORMATS:
        form, subtypes = FORMATS[kind]
        soundfile.write(file, noise(0, 2000, 1), 16_000, format=form, subtype=subtypes[0])
    elif kind in CONTAINERS:
        with av.open(file, "w", format=CONTAINERS[kind]) as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.height = stream.width = 32
            for k in range(5):
                frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 40 * k, np.uint8), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    else:
        picture = Image.fromarray((noise(0, 12, 12, 3) * 255 + 127).astype(np.uint8))
        picture.save(file, {"png": "PNG", "jpg": "JPEG", "tif": "TIFF"}[kind])
    return file.getvalue()


@tried(8)
@given(st.sampled_from(["png", "wav"]), st.binary(min_size=1, max_size=60), st.floats(0, 1), st.booleans())
def test_a_command_makes_its_video_or_says_one_sentence_and_leaves_nothing(weights, kind, junk, share, cut):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.fromarray((noise(0, 64, 64, 3) * 255 + 127).astype(np.uint8)).save(folder / "p.png")
        soundfile.write(folder / "s.wav", noise(1, 1600), 16_000)
        damaged = folder / {"png": "p.png", "wav": "s.wav"}[kind]
        content = damaged.read_bytes()
        place = int(share * len(content))
        damaged.write_bytes(content[:place] + (b"" if cut else junk + content[place + len(junk) :]))
        given_files = sorted(folder.iterdir())
        command = ["talk", "-p", folder / "p.png", "-a", folder / "s.wav", "-o", folder / "v.mp4"]
        told = io.StringIO()
        with redirect_stderr(told), redirect_stdout(io.StringIO()):
            code = main([str(word) for word in [*command, "--models", weights, "--steps", "2", "--json"]])
        left = [path for path in folder.iterdir() if path not in given_files]
        said = [line for line in told.getvalue().splitlines() if line.startswith("gohd: ")]
        assert (code, len(said), left) in [(0, 0, [folder / "v.mp4"]), (1, 1, [])], told.getvalue()
        assert "Traceback" not in told.getvalue()


@tried(30)
@given(names, st.binary(max_size=50), st.booleans())
def test_a_write_is_whole_or_leaves_nothing(name, content, fails) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / name
        try:
            with atomic_path(target) as part:
                part.write_bytes(content)
                if fails:
                    raise RuntimeError
        except RuntimeError:
            assert not list(Path(folder).iterdir())
        else:
            assert [path.read_bytes() for path in Path(folder).iterdir()] == [content]
