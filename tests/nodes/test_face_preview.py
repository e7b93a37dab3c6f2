"""Faces drawn again beside the graph: what the editor's nodes keep, and what the route takes and refuses."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys

import numpy as np
import pytest
import server
import torch
from aiohttp import web
from PIL import Image

from gohd_core.motion.adjusting import CONTROLS


@pytest.fixture
def ask(nodes):
    """Sends something to the route, as a browser does."""
    routes = {route.path: route.handler for route in server.PromptServer.instance.routes}
    assert list(routes) == ["/gohd/face"], "one route, opened once"

    def send(content: object, **others: str) -> web.Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return asyncio.run(routes["/gohd/face"](web.Request(body, **others)))

    return send


@pytest.fixture
def edited(nodes, models, portrait):
    """Runs Expression Editor; what it gives, and what it tells its node."""

    def runner(**sliders: float):
        values = {**dict.fromkeys(CONTROLS, 0.0), **sliders}
        with torch.inference_mode():
            made = nodes["GoHDExpressionEditor"].execute(
                animator=models["animator"],
                portrait=portrait,
                mood=values.pop("mood", "neutral"),
                mood_amount=0.7,
                full_frame=False,
                invisible_mark=False,
                **values,
            )
        return made.result, made.ui

    return runner


def picture(answer: web.Response) -> np.ndarray:
    assert answer.status == 200 and answer.content_type == "image/jpeg"
    return np.asarray(Image.open(io.BytesIO(answer.body)), np.float32) / 255


def test_the_route_draws_what_the_node_gives(edited, ask, portrait) -> None:
    _, told = edited()
    key, seconds = told["gohd_face"]
    assert seconds == pytest.approx(0.04) and len(key) > 20
    drawn = picture(ask({"face": key, "time": 0, "values": {"jaw": 1.0, "turn": 12}}))
    (image, motion, *parts), _ = edited(jaw=1.0, turn=12.0)
    assert np.abs(drawn - image[0].numpy()).mean() < 0.04
    assert [type(part).__name__ for part in parts] == ["Pose", "Expression", "Gaze"]
    assert torch.rad2deg(motion.pose.values[0, 1] - portrait.p0[1]) == pytest.approx(12, abs=1e-3)


def test_a_path_shows_its_motion_at_a_time_with_the_key_on_top(
    nodes, run, ask, models, portrait, motion
) -> None:
    path = {"keys": "0\n0.2 blink_left=1", "motion": motion}
    (alone,) = run("GoHDExpressionPath", **path)
    shown = nodes["GoHDExpressionPath"].execute(**path, animator=models["animator"], portrait=portrait)
    assert torch.equal(shown.result[0].descriptors(), alone.descriptors())
    key, seconds = shown.ui["gohd_face"]
    assert seconds == pytest.approx(len(motion) / 25)
    first, later, past = (picture(ask({"face": key, "time": t, "values": {}})) for t in (0, 0.2, 1e6))
    assert first.shape == later.shape == past.shape


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"face": "guessed", "values": {}}, "run the workflow once"),
        ({"values": [1]}, "object"),
        ([], "object"),
        ({"face": "KEY", "values": {"laugh": 1}}, "no slider"),
        ({"face": "KEY", "values": {"jaw": 99}}, "goes from"),
        ({"face": "KEY", "values": {"jaw": "1"}}, "finite number"),
        ({"face": "KEY", "time": -1, "values": {}}, "seconds"),
        ({"face": "KEY", "time": "x", "values": {}}, "seconds"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b'{"face": "KEY", "values": {"jaw": NaN}}', "finite number"),
        (b"[" * 10_000, "no JSON"),
    ],
)
def test_bad_requests_are_answered_with_a_sentence(edited, ask, content, said) -> None:
    key = edited()[1]["gohd_face"][0]
    if isinstance(content, bytes):
        content = content.replace(b"KEY", key.encode())
    elif isinstance(content, dict) and content.get("face") == "KEY":
        content = {**content, "face": key}
    answer = ask(content)
    assert answer.status == 400
    assert re.search(said, json.loads(answer.body)["error"])


def test_forms_of_other_sites_and_long_texts_are_refused_unread(ask) -> None:
    assert ask({}, content_type="text/plain").status == 415
    assert ask(b"", content_type="application/json").status == 415
    assert ask(b" " * 20_000).status == 415


def test_the_last_few_faces_are_kept(edited, ask) -> None:
    keys = [edited()[1]["gohd_face"][0] for _ in range(sys.modules["gohd_pack.nodes.face_preview"].KEPT + 1)]
    assert len(set(keys)) == len(keys)
    assert ask({"face": keys[0], "values": {}}).status == 400
    assert ask({"face": keys[1], "values": {}}).status == 200


def test_networks_are_left_alone_while_a_workflow_runs(edited, ask) -> None:
    key = edited()[1]["gohd_face"][0]
    running = server.PromptServer.instance.prompt_queue.currently_running
    running[1] = "a graph"
    try:
        answer = ask({"face": key, "values": {}})
    finally:
        running.clear()
    assert answer.status == 503 and "when it is done" in json.loads(answer.body)["error"]
