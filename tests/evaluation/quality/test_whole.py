"""The quality benchmark from end to end, small, with the built-in weights."""

from __future__ import annotations

import json

import pytest

from gohd_core.cli import main
from gohd_core.errors import BadInput
from gohd_core.evaluation.quality.data import Plan
from gohd_core.evaluation.quality.run import Weights, quality
from gohd_core.stylised.rendering.gpu import renderer_status
from gohd_core.stylised.speech.engines import engine_status

complete = pytest.mark.skipif(
    not all(ok for _, ok, _ in (*renderer_status(), *engine_status())),
    reason="voices or pictures can't be made on this machine",
)


@complete
def test_motion_and_talking_heads(tmp_path):
    plan = Plan(speech=2, clips=2, shots=3, training=2)
    report = quality(Weights({}), plan, tmp_path, parts=("motion", "talk"))
    tables = {table.title: table.rows for table in report.tables}
    frames = tables["Talking heads, frame by frame"]
    assert frames["all from video"]["perc."] < frames["all from sound"]["perc."]
    assert frames["copy source"]["PSNR dB"] > 5
    mouth = tables["Expression from sound"]
    assert mouth["truth"]["MLD px"] == 0 and mouth["from sound"]["opening correlation"] > 0.5
    assert mouth["copy source"]["opening slope"] == pytest.approx(0, abs=1e-6)
    assert report.setting["plan speech"] == 2 and "pose" in report.subject
    first = (tmp_path / "speech-2-2" / "dataset.json").read_bytes()
    assert quality(Weights({}), plan, tmp_path, parts=("motion",)).tables[-1].title == "Gaze from sound"
    assert (tmp_path / "speech-2-2" / "dataset.json").read_bytes() == first


def test_recordings_alone(tmp_path):
    from gohd_core.checkpoints.loading import assets_folder

    sound = assets_folder() / "speech" / "hello.flac"
    out, page = tmp_path / "q.json", tmp_path / "R.md"
    command = ["benchmark", "quality", "--parts", "", "--speech", str(sound), "--json", str(out)]
    assert main([*command, "--markdown", str(page), "--plot", str(tmp_path / "q.png")]) == 0
    rows = json.loads(out.read_text())["tables"][0]["rows"]
    assert (
        rows["hello.flac"]["correlation"] > 0.3
        and rows["hello.flac"]["loud px"] > rows["hello.flac"]["quiet px"]
    )
    assert "## gohd benchmark quality" in page.read_text() and (tmp_path / "q.png").stat().st_size > 500


def test_unmeasurable_input_is_refused(tmp_path):
    with pytest.raises(BadInput, match="part"):
        quality(Weights({}), Plan(), tmp_path, parts=("sing",))
    with pytest.raises(BadInput, match="face networks"):  # which tests do not find
        quality(Weights({}), Plan(), tmp_path, parts=("mesh",))
    with pytest.raises(BadInput, match="replace"):
        Weights({"voice": tmp_path}).load()
