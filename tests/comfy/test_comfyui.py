"""The nodes in a real ComfyUI: frames, sound, rates, progress, cancel, caching, memory, errors."""

from __future__ import annotations

import time

import pytest

from tests.support.comfy_server import Refused, cached, error_of
from tests.support.graphs import SECONDS, full_graph, mix, node, save, streamed, talking


def video_of(comfy, outputs: dict, name: str = "save") -> dict:
    """Frames, rate, and seconds of picture and sound in a saved video."""
    av = pytest.importorskip("av")
    path = comfy.file(outputs[name]["images"][0])
    with av.open(str(path)) as container:
        stream, sound = container.streams.video[0], container.streams.audio
        frames = sum(1 for _ in container.decode(stream))
        found = {"frames": frames, "fps": float(stream.average_rate), "size": stream.width}
        found["picture"] = frames / found["fps"]
        if sound:
            found["sound"] = float(sound[0].duration * sound[0].time_base)
        return found


def test_every_node_is_there(comfy) -> None:
    nodes = comfy.get("/object_info")
    ours = [name for name in nodes if name.startswith("GoHD")]
    assert len(ours) >= 20
    assert all(nodes[name]["category"].startswith("GoHD") for name in ours)
    assert "IMPORT FAILED" not in comfy.log.read_text()


def test_the_full_graph_makes_a_video_in_step_with_its_sound(comfy) -> None:
    made = video_of(comfy, comfy.run(full_graph()))
    assert made["frames"] == round(SECONDS * 25) and made["fps"] == 25.0 and made["size"] == 64
    assert abs(made["sound"] - made["picture"]) < 1 / 25


def test_talking_portrait_makes_the_same_length(comfy) -> None:
    made = video_of(comfy, comfy.run(talking()))
    assert made["frames"] == 50 and abs(made["sound"] - SECONDS) < 1 / 25


@pytest.mark.parametrize("fps", [23.976, 30.0, 60.0])
def test_frame_rates_reach_the_file(comfy, fps) -> None:
    made = video_of(comfy, comfy.run(streamed(fps=fps)))
    assert made["frames"] == round(SECONDS * fps) and made["fps"] == pytest.approx(fps, abs=1e-3)
    assert abs(made["sound"] - made["picture"]) < 1 / fps


def test_frames_and_stream_are_the_same_length_and_rate_for_core(comfy) -> None:
    graph = full_graph(fps=30.0)
    made = video_of(comfy, comfy.run(graph))
    assert made["frames"] == 60 and made["fps"] == 30.0


def test_progress_arrives_with_preview_pictures(comfy) -> None:
    # so many frames that drawing them takes longer than five of the host's pauses between reports
    graph = full_graph(batch_size=1, fps=120.0)
    graph["expression"]["inputs"]["seed"] = 99
    before = len(comfy.events.previews)
    prompt = comfy.queue(graph)
    comfy.finished(prompt)
    found = [data for _, data in comfy.events.of("progress", prompt) if data["node"] == "frames"]
    values = [data["value"] for data in found]
    assert len(values) >= 5 and values == sorted(values) and values[-1] == found[-1]["max"]
    assert len(comfy.events.previews) > before


def test_cancel_stops_a_video_and_leaves_nothing(comfy) -> None:
    graph = streamed(fps=120.0, batch_size=1)
    graph["features"]["inputs"]["duration"] = 0.0
    graph["long"] = node("GoHDEditMotion", motion=["mix", 0], **edits(speed=0.1))
    graph["render"]["inputs"]["motion"] = ["long", 0]
    files = set((comfy.base / "temp").rglob("*"))
    prompt = comfy.queue(graph)
    wait_for(lambda: any(d["node"] == "render" for _, d in comfy.events.of("progress", prompt)))
    comfy.post("/interrupt", {})
    history = comfy.finished(prompt)
    assert "interrupted" in str(history["status"]["messages"])
    assert set((comfy.base / "temp").rglob("*")) - files == set(), "no partial file"


def test_nothing_runs_twice_and_a_seed_runs_what_depends_on_it(comfy) -> None:
    graph = full_graph()
    graph["pose"]["inputs"]["seed"] = 1234
    comfy.run(graph)
    again = comfy.finished(comfy.queue(graph))
    assert cached(again) >= set(graph) - {"save"}
    graph["pose"]["inputs"]["seed"] = 1235
    third = cached(comfy.finished(comfy.queue(graph)))
    assert {"portrait", "features", "expression", "animator"} <= third
    assert not {"pose", "mix", "frames"} & third


def test_a_changed_weights_file_is_loaded_again(comfy) -> None:
    graph = full_graph()
    comfy.run(graph)
    path = comfy.base / "models" / "gohd" / "audio2pose.safetensors"
    path.write_bytes(path.read_bytes())
    ran = cached(comfy.finished(comfy.queue(graph)))
    assert "pose_model" not in ran and "expression_model" in ran


def test_motion_is_saved_edited_and_used_again(comfy) -> None:
    graph = full_graph()
    for name in ("frames", "video", "save"):
        del graph[name]
    graph["keep"] = node("GoHDSaveMotion", motion=["mix", 0], filename_prefix="gohd/kept")
    said = comfy.run(graph)["keep"]["text"][0]
    again = {name: graph[name] for name in ("image", "extractor", "estimator", "portrait", "animator")}
    again["motion"] = node("GoHDLoadMotion", file=f"gohd/{said.split(':')[0]} [output]")
    again["edit"] = node("GoHDEditMotion", motion=["motion", 0], **edits(speed=2.0))
    again["mix"] = mix(pose=["motion", 1], expression=["edit", 0])
    again["strip"] = node(
        "GoHDMotionStrip",
        animator=["animator", 0],
        portrait=["portrait", 0],
        motion=["mix", 0],
        frame=-1,
        steps=4,
        strength=1.0,
    )
    again["plot"] = node("GoHDPlotMotion", motion=["edit", 0], width=640, height=480)
    again["a"] = node("SaveImage", images=["strip", 0], filename_prefix="strip")
    again["b"] = node("SaveImage", images=["plot", 0], filename_prefix="plot")
    outputs = comfy.run(again)
    assert comfy.file(outputs["a"]["images"][0]).is_file()
    assert comfy.file(outputs["b"]["images"][0]).is_file()


def test_free_model_unloads_ours_and_the_next_run_loads_them(comfy) -> None:
    """ComfyUI's log says when it loads a network: again after it was freed, and not before."""

    def loads() -> int:
        return comfy.log.read_text().count("Requested to load AnimatorNetwork")

    graph = full_graph()
    comfy.run(graph)
    before = loads()
    graph["pose"]["inputs"]["seed"] = 76
    comfy.run(graph)
    assert loads() == before, "it was still loaded"
    for seed, patience in ((77, 1.5), (78, 6.0), (79, 20.0)):
        # Nothing tells when ComfyUI has freed them: a prompt that comes sooner is run first.
        comfy.post("/free", {"unload_models": True, "free_memory": False})
        time.sleep(patience)
        graph["pose"]["inputs"]["seed"] = seed
        assert video_of(comfy, comfy.run(graph))["frames"] == 50
        if loads() > before:
            break
    assert loads() == before + 1, "it was freed, and loaded when it was needed"


def test_a_missing_file_says_where_it_belongs_and_where_to_get_it(comfy) -> None:
    graph = full_graph()
    graph["animator"]["inputs"]["weights"] = "FaceAnimator_GoHD.pt"
    with pytest.raises(Refused) as refused:
        comfy.queue(graph)
    said = str(refused.value)
    assert str(comfy.base / "models" / "gohd" / "FaceAnimator_GoHD.pt") in said
    assert "drive.google.com" in said


@pytest.mark.parametrize("name", ["../../etc/passwd [input]", "/etc/passwd", "nothing.safetensors [output]"])
def test_motion_outside_the_folders_is_refused(comfy, name) -> None:
    graph = {
        "motion": node("GoHDLoadMotion", file=name),
        "plot": node("GoHDPlotMotion", motion=["motion", 0], width=640, height=480),
        "save": node("SaveImage", images=["plot", 0], filename_prefix="x"),
    }
    with pytest.raises(Refused) as refused:
        comfy.queue(graph)
    assert "leads out of" in str(refused.value) or "no motion file" in str(refused.value)


def test_bad_input_is_one_sentence_in_the_node(comfy) -> None:
    graph = talking()
    graph["image"] = node("EmptyImage", width=200, height=100, batch_size=1, color=0)
    history = comfy.finished(comfy.queue(graph))
    assert history["status"]["status_str"] == "error"
    said = error_of(history)
    assert "200 x 100" in said and said.strip().count("\n") == 0


def test_the_official_dropdown_offers_the_files_that_fit(comfy) -> None:
    info = comfy.get("/object_info/GoHDLoadAnimator")["GoHDLoadAnimator"]
    offered = info["input"]["required"]["weights"]
    options = offered[0] if isinstance(offered[0], list) else offered[1]["options"]
    assert options == ["builtin", "FaceAnimator_GoHD.safetensors"]


def test_render_video_goes_into_core_nodes(comfy) -> None:
    graph = streamed()
    graph["parts"] = node("GetVideoComponents", video=["render", 0])
    graph["remade"] = node("CreateVideo", images=["parts", 0], audio=["parts", 1], fps=["parts", 2])
    graph["save2"] = save(["remade", 0], "gohd/remade")
    assert video_of(comfy, comfy.run(graph), "save2")["frames"] == 50


def edits(**changed):
    still = dict.fromkeys(
        ("smooth", "freeze_from", "freeze_to", "loop", "ease_in", "ease_out", "nod", "turn", "tilt"), 0.0
    )
    still |= {"look_up": 0.0, "look_left": 0.0, "scale": 1.0, "speed": 1.0, "part": "everything"}
    return {**still, "centre": "first", "smooth_method": "gaussian", **changed}


def wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
