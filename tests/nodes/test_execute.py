"""Every node run as ComfyUI runs it, from a picture and a sound to a video."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from gohd_core.choices import FRAMINGS
from gohd_core.motion import Expression, Gaze, Motion, Pose
from tests.support.samples import FRAMES, picture, speech


@pytest.fixture
def painted(run, models):
    """Prepare Portrait's result of a wide picture whose mask says where the face is."""
    mask = torch.zeros(1, 120, 200)
    mask[0, 40:80, 90:130] = 1
    given = {"extractor": models["extractor"], "gaze_estimator": models["gaze_estimator"]}
    return run("GoHDPreparePortrait", image=picture(200, 120), face_mask=mask, **given)


@pytest.fixture
def drawing(models, portrait, motion):
    """What nodes that draw are given."""
    return {"animator": models["animator"], "portrait": portrait, "motion": motion}


def test_the_whole_graph_gives_frames_sound_and_rate(run, drawing) -> None:
    sound = speech()
    images, audio, fps, frames, mask = run("GoHDAnimatePortrait", **drawing, audio=sound)
    assert images.shape == (FRAMES, 64, 64, 3) and images.dtype == torch.float32
    assert float(images.min()) >= 0 and float(images.max()) <= 1
    assert audio is sound and fps == 25.0 and frames == FRAMES
    assert mask.shape == (1, 64, 64) and float(mask.min()) == 0 and 0.9 < float(mask.max()) <= 1


def test_same_seed_same_frames_other_seed_other_motion(run, models, portrait, features) -> None:
    given = {"pose_model": models["pose"], "features": features, "portrait": portrait}
    first, again, other = (run("GoHDSampleHeadPoses", seed=seed, **given)[0].values for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_scale_zero_keeps_the_portraits_own(run, models, portrait, features) -> None:
    given = {"features": features, "portrait": portrait, "scale": 0.0}
    pose = run("GoHDSampleHeadPoses", pose_model=models["pose"], **given)[0]
    assert torch.allclose(pose.values, portrait.p0.expand_as(pose.values), atol=1e-6)
    gaze = run("GoHDSampleGaze", gaze_model=models["gaze"], **given)[0]
    assert torch.allclose(gaze.values, portrait.g0.expand_as(gaze.values), atol=1e-6)


def test_inputs_are_never_changed_in_place(run, builtin, motion, drawing) -> None:
    image, sound = picture(), speech()
    before = image.clone(), sound["waveform"].clone(), motion.descriptors().clone()
    run("GoHDTalkingPortrait", image=image, audio=sound)
    run("GoHDEditMotion", motion=motion, smooth=0.1, scale=2.0, nod=10.0)
    run("GoHDAnimatePortrait", **drawing)
    after = image, sound["waveform"], motion.descriptors()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(("fps", "frames"), [(25.0, 13), (12.5, 6), (29.97, 16), (60.0, 31)])
def test_the_frame_rate_changes_the_frames_and_not_the_duration(run, drawing, fps, frames) -> None:
    images, _, out, *_ = run("GoHDAnimatePortrait", **drawing, fps=fps)
    assert len(images) == frames and out == pytest.approx(fps, abs=1e-3)


def test_render_video_has_the_frames_and_the_sound(run, base, drawing) -> None:
    av = pytest.importorskip("av")
    (video,) = run("GoHDRenderVideo", **drawing, audio=speech(), fps=29.97)
    path = video.get_stream_source()
    assert path.startswith(str(base / "temp"))
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert str(stream.average_rate) == "30000/1001"
        assert sum(1 for _ in container.decode(stream)) == 16
        assert container.streams.audio[0].rate == 22_050


def test_talking_portrait_does_it_all(run, builtin) -> None:
    av = pytest.importorskip("av")
    video, motion = run("GoHDTalkingPortrait", image=picture(), audio=speech(), gaze="set", yaw=20.0)
    assert len(motion) == FRAMES
    assert torch.allclose(torch.rad2deg(motion.gaze.values[:, 1]), torch.tensor(20.0))
    with av.open(video.get_stream_source()) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES


def test_talking_portrait_equals_the_graph(run, models, portrait, features) -> None:
    _, whole = run("GoHDTalkingPortrait", image=picture(), audio=speech(), seed=5, gaze="hold")
    given = {"features": features, "portrait": portrait, "seed": 5}
    expression = run("GoHDPredictExpressions", expression_model=models["expression"], **given)[0]
    assert torch.allclose(whole.expression.values, expression.values, atol=1e-5)
    assert torch.allclose(whole.gaze.values, portrait.g0.expand(FRAMES, -1))


def test_motion_goes_to_a_file_and_back(run, nodes, base, motion) -> None:
    saved, path = run("GoHDSaveMotion", motion=motion)
    assert saved is motion and path.startswith(str(base / "output" / "gohd"))
    combo = nodes["GoHDLoadMotion"].define_schema().inputs[0]
    assert combo.options == ["gohd/motion_00001_.safetensors [output]"]
    loaded, pose, _, _, fps, frames = run("GoHDLoadMotion", file=combo.options[0])
    assert torch.equal(loaded.descriptors(), motion.descriptors())
    assert isinstance(pose, Pose) and fps == 25.0 and frames == FRAMES


def test_a_changed_motion_file_is_read_again(run, nodes, motion) -> None:
    run("GoHDSaveMotion", motion=motion)
    name = nodes["GoHDLoadMotion"].define_schema().inputs[0].options[0]
    before = nodes["GoHDLoadMotion"].fingerprint_inputs(name)
    from gohd_core.motion.file import save_motion

    path = run("GoHDSaveMotion", motion=motion)[1].replace("00002", "00001")
    save_motion(path, motion.fitted(30))
    assert nodes["GoHDLoadMotion"].fingerprint_inputs(name) != before


def test_any_motion_can_be_the_source_of_any_part(run, portrait, motion) -> None:
    driver = Motion.from_descriptors(torch.full((30, 72), 0.2), "stylised")
    mixed = run("GoHDMixMotion", portrait=portrait, pose=driver, expression=motion, length="pose")[0]
    assert len(mixed) == 30 and torch.allclose(mixed.pose.values, torch.tensor(0.2))
    assert torch.equal(mixed.expression.values[:FRAMES], motion.expression.values)
    eyes = run("GoHDMixMotion", portrait=portrait, expression=motion, eyes=driver)[0]
    assert len(eyes) == 30


def test_a_schedule_fades_a_source_in(run, portrait) -> None:
    driver = Motion.from_descriptors(torch.full((26, 72), 0.2), "stylised")
    mixed = run("GoHDMixMotion", portrait=portrait, pose=driver, schedule="pose 0 0 linear\npose 1 1")[0]
    own = portrait.p0
    assert torch.allclose(mixed.pose.values[0], own)
    assert torch.allclose(mixed.pose.values[25], torch.full((6,), 0.2), atol=1e-6)


def test_gaze_path_follows_its_keys(run, nodes, portrait) -> None:
    (gaze,) = run("GoHDGazePath", portrait=portrait, keys="0 0 0 linear\n1 10 -20")
    assert len(gaze) == 25
    longer = run("GoHDGazePath", portrait=portrait, keys="0 0 0 linear\n1 10 -20", duration=2.0)[0]
    assert torch.rad2deg(longer.values[-1]).tolist() == pytest.approx([10, -20], abs=1e-3)
    refused = nodes["GoHDGazePath"].validate_inputs("0 a b")
    assert "can't be read" in refused


def test_relative_gaze_is_added_to_the_portraits(run, portrait) -> None:
    (gaze,) = run("GoHDSetGaze", portrait=portrait, pitch=10.0, relative=True)
    assert torch.rad2deg(gaze.values[0] - portrait.g0).tolist() == pytest.approx([10, 0], abs=1e-3)


def test_edit_motion_does_what_its_widgets_say(run, motion) -> None:
    same, frames = run("GoHDEditMotion", motion=motion)
    assert torch.equal(same.descriptors(), motion.descriptors()) and frames == FRAMES
    slow, frames = run("GoHDEditMotion", motion=motion, speed=0.5)
    assert frames == 26 == len(slow)
    turned = run("GoHDEditMotion", motion=motion, turn=90.0)[0]
    difference = turned.pose.values[:, 1] - motion.pose.values[:, 1]
    assert torch.allclose(difference, torch.tensor(math.pi / 2), atol=1e-5)


def test_a_strip_begins_with_the_portrait_and_ends_with_the_frame(run, drawing) -> None:
    strip, images = run("GoHDMotionStrip", **drawing, frame=9, steps=4)
    assert strip.shape == (1, 64, 256, 3) and images.shape == (4, 64, 64, 3)
    assert torch.equal(strip[0, :, 192:], images[3])
    frames = run("GoHDAnimatePortrait", invisible_mark=False, **drawing)[0]
    assert torch.allclose(images[3], frames[9], atol=1e-5)


def test_a_plot_is_a_picture(run, motion) -> None:
    (plot,) = run("GoHDPlotMotion", motion=motion, width=400, height=300)
    assert plot.shape == (1, 300, 400, 3) and float(plot.std()) > 0.02


def test_sound_is_trimmed_and_passed_on(run) -> None:
    features, audio, seconds = run("GoHDEncodeAudio", audio=speech(2.0), start=0.5, duration=1.0)
    assert audio["waveform"].shape == (1, 2, 22_050) and seconds == 1.0 and len(features) == 25
    _, rest, _ = run("GoHDEncodeAudio", audio=speech(2.0), start=0.5)
    assert rest["waveform"].shape[-1] == round(1.5 * 22_050)


def test_a_mask_says_where_the_face_is(painted) -> None:
    portrait, crop, report = painted
    left, top, right, bottom = portrait.box
    assert left < 90 and right > 130 and right - left == bottom - top
    assert crop.shape == (1, 256, 256, 3)
    assert "drawn at 256" in report and "\n" not in report


def test_parts_come_from_typed_sources(run, models, portrait, features) -> None:
    given = {"features": features, "portrait": portrait}
    expression = run("GoHDPredictExpressions", expression_model=models["expression"], **given)[0]
    gaze = run("GoHDSampleGaze", gaze_model=models["gaze"], **given)[0]
    assert isinstance(expression, Expression) and isinstance(gaze, Gaze)
    assert len(expression) == len(gaze) == FRAMES


def test_samples_are_a_square_picture_and_a_sentence(run, nodes, builtin, family) -> None:
    """The shipped files' forms, with files of our own in their place."""
    import numpy as np
    import soundfile
    from PIL import Image

    assert "lacks" in nodes["GoHDSampleAvatar"].validate_inputs(3)
    for folder in ("portraits", "speech"):
        (family / folder).mkdir(exist_ok=True)
    Image.fromarray(np.full((32, 32, 3), 51, np.uint8)).save(family / "portraits" / "03.jpg")
    soundfile.write(family / "speech" / "hello.flac", np.zeros(800), 16_000)
    assert nodes["GoHDSampleAvatar"].validate_inputs(3) is True
    (image,) = run("GoHDSampleAvatar", number=3)
    assert image.shape == (1, 32, 32, 3) and float(image.mean()) == pytest.approx(0.2, abs=0.01)
    (audio,) = run("GoHDSampleSpeech")
    assert audio["waveform"].shape == (1, 1, 800) and audio["sample_rate"] == 16_000


def test_a_face_goes_back_into_its_picture(run, painted) -> None:
    """With several faces, a mask, and a picture of any other size in between."""
    image, portrait = picture(200, 120), painted[0]
    faces = torch.rand(3, 96, 96, 3, generator=torch.Generator().manual_seed(0))
    whole, used = run("GoHDPasteBack", images=faces, portrait=portrait)
    assert whole.shape == (3, 120, 200, 3) and used.shape == (1, 120, 200)
    outside = used[0] == 0
    assert outside.any() and torch.equal(whole[:, outside], image[:, outside].expand(3, -1, -1))
    assert not torch.equal(whole[0], image[0])
    small = torch.zeros(1, 120, 200)
    small[0, 55:65, 100:110] = 1
    again, _ = run("GoHDPasteBack", images=faces[:1], portrait=portrait, background=whole, mask=small)
    assert len(again) == 1 and torch.equal(again[:, small[0] == 0], whole[:1, small[0] == 0])
    longest = {"background": whole, "length": "longest"}
    assert len(run("GoHDPasteBack", images=faces[:1], portrait=portrait, **longest)[0]) == 3


def test_the_mask_of_a_crop_is_soft_at_its_edge(run, models, painted) -> None:
    """As Paste Back has it in the full frame, at the size of the drawn frames."""
    portrait = painted[0]
    still = Motion.from_descriptors(torch.zeros(2, 72), "stylised")
    images, *_, made = run(
        "GoHDAnimatePortrait", animator=models["animator"], portrait=portrait, motion=still
    )
    whole = run("GoHDPasteBack", images=images, portrait=portrait)[1]
    left, top, right, bottom = portrait.box
    assert made.shape == (1, 64, 64) and 0 < float(made.mean()) < 1
    assert float(made.mean()) == pytest.approx(float(whole[0, top:bottom, left:right].mean()), abs=0.01)


def test_marks_are_put_and_read(run) -> None:
    pytest.importorskip("av")
    image = picture(320, 256)
    (plain,) = run("GoHDAddWatermark", images=image, invisible_mark=False)
    assert torch.equal(plain, image) and not run("GoHDReadWatermark", media=image)[0]
    (marked,) = run("GoHDAddWatermark", images=image, visible_mark="AI generated")
    found, score, report = run("GoHDReadWatermark", media=marked)
    assert found and score > 5 and "is there" in report
    (again,) = run("GoHDAddWatermark", images=marked)
    assert torch.equal(again, marked), "the same pattern twice would be seen"
    assert float((marked - image).abs().max()) > 0.5, "the visible text"


def test_frames_are_marked_unless_switched_off(run, drawing) -> None:
    """So that a video which Create Video makes of them is."""
    on, off = (run("GoHDAnimatePortrait", invisible_mark=mark, **drawing)[0] for mark in (True, False))
    assert 0 < float((on - off).abs().max()) < 6 / 255
    scores = [run("GoHDReadWatermark", media=images)[1] for images in (on, off)]
    assert scores[0] > scores[1] + 3, "frames of 64 pixels are too small to be sure, but not to differ"


@pytest.mark.parametrize("node", ["GoHDRenderVideo", "GoHDTalkingPortrait"])
def test_videos_are_marked_unless_switched_off(run, drawing, node) -> None:
    pytest.importorskip("av")
    given = drawing if node == "GoHDRenderVideo" else {"image": picture(), "audio": speech()}
    on, off = (run(node, invisible_mark=mark, **given)[0] for mark in (True, False))
    scores = [run("GoHDReadWatermark", media=video)[1] for video in (on, off)]
    assert scores[0] > scores[1] + 3, "frames of 64 pixels are too small to be sure, but not to differ"


def test_a_video_of_the_full_frame(run, models, painted) -> None:
    av = pytest.importorskip("av")
    portrait = painted[0]
    motion = Motion.from_descriptors(torch.zeros(5, 72), "stylised")
    (video,) = run(
        "GoHDRenderVideo", animator=models["animator"], portrait=portrait, motion=motion, full_frame=True
    )
    with av.open(video.get_stream_source()) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 5 and frames[0].shape == (120, 200, 3)


def test_motions_are_spliced_and_fitted_by_retiming(run, portrait, motion) -> None:
    spliced, fps, frames = run("GoHDSpliceMotion", first=motion, second=motion, fourth=motion)
    assert frames == len(spliced) == 3 * FRAMES and fps == 25.0
    driver = Motion.from_descriptors(torch.linspace(0, 1, 40)[:, None].expand(-1, 72), "stylised")
    given = {"pose": driver, "expression": motion, "length": "expression", "fill": "retime"}
    mixed = run("GoHDMixMotion", portrait=portrait, **given)[0]
    assert torch.allclose(mixed.pose.values[:, 3], torch.linspace(0, 1, FRAMES), atol=1e-6)


def test_face_parsing_weights_say_what_is_pasted(run, nodes, base, models, monkeypatch) -> None:
    """Network and labels are stand-ins: the file is found, loaded, and asked for the head."""
    from gohd_core.checkpoints import save_network
    from gohd_core.components import component
    from gohd_core.face.segmentation.parsing_network import ParsingConfig

    kind = component("face_parsing")
    config = ParsingConfig(image_size=64)
    folder = base / "models" / "gohd"
    about = {"component": "face_parsing", "config": config, "space": "bfm09"}
    save_network(folder / "79999_iter.safetensors", kind.network(config), **about)
    region = next(i for i in nodes["GoHDPasteBack"].define_schema().inputs if i.id == "region")
    assert region.options == ["ellipse", "79999_iter.safetensors"]
    assert "no weights file" in nodes["GoHDPasteBack"].validate_inputs("gone.pth")

    def parse(self, images, **options):
        labels = torch.zeros(1, *images.shape[:2], dtype=torch.uint8)
        labels[:, : images.shape[0] // 2] = 1
        return labels

    monkeypatch.setattr("gohd_core.face.FaceParser.parse", parse)
    given = {"extractor": models["extractor"], "gaze_estimator": models["gaze_estimator"]}
    portrait, *_ = run("GoHDPreparePortrait", image=picture(), **given)
    options = {"region": region.options[1], "growth": 0.0}
    _, mask = run("GoHDPasteBack", images=picture(64, 64), portrait=portrait, **options)
    assert mask[0, 40:].max() == 0 and mask[0, :20].min() > 0.99


def test_idle_life_a_mood_and_blendshapes_go_together(run, portrait, base) -> None:
    idle, frames = run("GoHDIdleMotion", portrait=portrait, duration=4.0)
    assert frames == len(idle) == 100
    (sad,) = run("GoHDSetMood", motion=idle, mood="sad", amount=1.0)
    assert not torch.equal(sad.expression.values, idle.expression.values)
    (keyed,) = run("GoHDSetMood", motion=idle, keys="sad 0 0 linear\nsad 2 1")
    assert torch.equal(keyed.expression.values[0], idle.expression.values[0])
    assert torch.equal(keyed.expression.values[60:], sad.expression.values[60:])
    (path,) = run("GoHDSaveBlendshapes", motion=sad, format="json")
    name = f"gohd/{path.rpartition('/')[2]} [output]"
    read, count = run("GoHDLoadBlendshapes", file=name)
    assert count == 100 and read.pose.values == pytest.approx(sad.pose.values, abs=1e-5)


def test_bad_keys_of_a_mood_are_refused_before_it_runs(nodes) -> None:
    said = nodes["GoHDSetMood"].validate_inputs("hungry 0 1")
    assert "hungry" in said and nodes["GoHDSetMood"].validate_inputs("") is True
    assert "There is no file" in nodes["GoHDLoadBlendshapes"].validate_inputs("nothing.csv [input]")


def test_driving_frames_are_512_pixels_at_the_rate_of_the_other_model(run, drawing) -> None:
    points = torch.rand(68, 2, generator=torch.Generator().manual_seed(1)) * 40 + 40
    given = drawing | {"portrait": replace(drawing["portrait"], landmarks=points)}
    for framing in FRAMINGS:
        images, fps, frames = run("GoHDDriverFrames", **given, framing=framing, fps=16.0)
        assert fps == 16 and frames == len(images) == round(FRAMES * 16 / 25)
        assert images.shape[1:] == (512, 512, 3)
        assert images.min() >= 0 and images.max() <= 1
