"""The benchmark of pictures: commands, faults of talking, and one photograph measured for real."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gohd_core.cli import main
from gohd_core.errors import BadInput
from gohd_core.evaluation.pictures.measure import Result
from gohd_core.evaluation.pictures.readings import FaceReadings
from gohd_core.evaluation.pictures.run import PicturePlan, pictures
from gohd_core.evaluation.pictures.sheets import ROWS, Sheets
from gohd_core.evaluation.pictures.speaking import Talk, judge_talk
from gohd_core.evaluation.pictures.speed import speed_table
from gohd_core.evaluation.pictures.sweeps import (
    BLINK,
    IRIS_YAW,
    JAW,
    SWEEPS,
    commanded_gaps,
    sweep_descriptors,
    sweep_figures,
)
from gohd_core.evaluation.pictures.tables import result_tables
from gohd_core.evaluation.report import Report
from gohd_core.face.geometry.camera import Camera, transform
from gohd_core.mesh.animator import MeshAnimator
from gohd_core.mesh.contours import LEFT_LIDS, RIGHT_LIDS
from gohd_core.mesh.reading.gaze import RADIUS, into_head
from gohd_core.mesh.source import MeshSource
from gohd_core.models import Models
from gohd_core.portraits import prepare_portrait
from tests.support.drawn_meshes import noise_picture, seen_mesh
from tests.support.face_networks import FACES, needs_face_networks

SIZE = 256


@pytest.fixture(scope="module")
def source() -> MeshSource:
    image = torch.from_numpy(noise_picture(SIZE)).permute(2, 0, 1)[None] / 127.5 - 1
    return MeshAnimator().encode_source(image, mesh=torch.from_numpy(seen_mesh(SIZE)))


def test_one_thing_is_commanded_at_a_time(source) -> None:
    rows, places = sweep_descriptors(source.own)
    assert torch.equal(rows[:1], source.own) and len(rows) == 1 + sum(len(s.levels) for s in SWEEPS)
    for sweep in SWEEPS:
        part = rows[places[sweep.name]]
        others = [k for k in range(72) if k not in sweep.columns]
        assert torch.equal(part[:, others], source.own[:, others].expand(len(part), -1))
    assert rows[places[BLINK]][-1, 10] == 1 and rows[places[JAW]][-1, 0] == 1
    gaze = rows[places[IRIS_YAW], 70] - source.own[0, 70]
    assert gaze.tolist() == pytest.approx(np.radians([-24, 24]).tolist(), abs=1e-5)


def test_commanded_gaps_are_those_of_the_contours(source) -> None:
    rows, places = sweep_descriptors(source.own)
    gaps = commanded_gaps(source, rows)
    jaw = gaps[places[JAW]]
    assert abs(jaw[0]) < 0.01 and (np.diff(jaw) > 0.02).all()
    assert np.diff(jaw) == pytest.approx(np.diff(jaw)[0], rel=0.05)  # the jaw is linear
    head = [
        k for name, rows in places.items() if name.startswith("head") for k in range(rows.start, rows.stop)
    ]
    assert gaps[head] == pytest.approx(gaps[0], abs=1e-5)


def test_perfect_readings_have_slopes_of_one(source) -> None:
    rows, places = sweep_descriptors(source.own)
    read = exact(source, rows, places)
    found = sweep_figures(source, rows, places, read)
    assert {name for name in found if name.endswith("slope")} == {
        f"{name} slope" for name in (*places, "points") if name != BLINK
    }
    for name, value in found.items():
        if name.endswith(("slope", " r")):
            assert value == pytest.approx(1.0, abs=0.02 if "iris" in name else 1e-3), name
    assert found["lids left"] == found["aspect left"] == pytest.approx(0.1) and found["points px"] < 0.01
    half = replace(read, gap=read.gap / 2)
    assert sweep_figures(source, rows, places, half)["jaw slope"] == pytest.approx(0.5, abs=1e-3)
    blind = replace(read, seen=np.zeros(len(rows), bool))
    assert "points slope" not in sweep_figures(source, rows, places, blind)


def exact(source: MeshSource, rows: torch.Tensor, places: dict[str, slice]) -> FaceReadings:
    """Readings without any error."""
    count = len(rows)
    camera = Camera.of_size(source.size)
    head = source.face.points_in_head.repeat(count, 1, 1)
    offset = irises(into_head(rows[:, 64:70], rows[:, 70:])) - irises(source.face.gaze_in_head.mean(0)[None])
    for lids, iris in ((LEFT_LIDS, slice(473, 478)), (RIGHT_LIDS, slice(468, 473))):
        width = (head[0, lids[0].right] - head[0, lids[0].left]).norm()
        head[:, iris, :2] += (offset * width)[:, None]
    placed = transform(head, rows[:, 64:70])
    points = torch.cat([camera.pixels(placed), -placed[..., 2:] * camera.focal / camera.distance], 2).numpy()
    lids = np.full((count, 2), 0.3)
    lids[places[BLINK].stop - 1] = 0.03
    gaps = commanded_gaps(source, rows)
    return FaceReadings(np.ones(count, bool), points, gaps, gaps, lids, lids, rows[:, 64:67].numpy())


def irises(gaze: torch.Tensor) -> torch.Tensor:
    """Where irises lie that look so [B,2], beside those that look straight ahead, in widths of the eye."""
    yaw, pitch = gaze.unbind(-1)
    return RADIUS * torch.stack([-yaw.sin(), pitch.sin()], -1)


def read_as(shares: list[float]) -> FaceReadings:
    """Readings of frames in which the gap between the lips is so many eye distances; nan: no face."""
    share = np.array(shares)
    count = len(share)
    points = np.repeat(seen_mesh(64)[None], count, 0)
    nothing = np.zeros((count, 2))
    return FaceReadings(~np.isnan(share), points, share, share, nothing, nothing, np.zeros((count, 3)))


@pytest.mark.parametrize(
    ("own", "gaps", "soft", "faults"),
    [
        (0.0, [0.02, 0.1, 0.2], False, ()),
        (0.0, [0.02, 0.05, 0.1], False, ("lips hardly part",)),
        (0.0, [0.08, 0.1, 0.3], False, ("lips do not close",)),
        (0.1, [0.08, 0.1, 0.3], False, ()),
        (0.0, [0.02, float("nan"), 0.2], False, ("face not seen",)),
        (0.0, [float("nan")] * 3, False, ("face not seen", "lips hardly part", "lips do not close", "soft")),
        (0.0, [0.02, 0.1, 0.2], True, ("soft",)),
    ],
)
def test_faults_of_talking(own, gaps, soft, faults) -> None:
    picture = noise_picture(64)
    frames = np.stack([picture // 2 if soft else picture] * 3)
    assert judge_talk(read_as([own]), picture, read_as(gaps), frames).faults == faults


def test_tables_count_refused_pictures_as_ones_that_do_not_talk() -> None:
    good = Result("a.png", size=512, own_psnr=50.0, turned_sharp=1.0, talk=Talk(1.0, 0.2, 0.0, 0.0, 1.0))
    bad = Result("b.png", refused="No face was found.")
    summary, talk, commands, refused = result_tables([good, bad])
    assert summary.rows["talks"]["share of pictures"] == 0.5 and summary.rows["talks"]["met"] == "no"
    assert talk.rows["a.png"]["talks"] == "yes" and "b.png" not in talk.rows
    assert refused.rows == {"b.png": {"sentence": "No face was found."}} and "a.png" in commands.rows
    assert result_tables([good])[0].rows["talks"]["met"] == "yes"


def test_sheets_are_written_as_rows_come(tmp_path) -> None:
    sheets = Sheets(tmp_path / "sheets", tile=32)
    for k in range(ROWS + 1):
        sheets.add(Result(f"{k}.png", tiles={"source": noise_picture(64), "jaw": noise_picture(64, 1)}))
    sheets.add(Result("refused.png", refused="No face was found."))
    assert len(sheets.written) == 1
    sheets.finish()
    assert [path.name for path in sheets.written] == ["sheet_00.jpg", "sheet_01.jpg"]
    assert all(path.stat().st_size > 500 for path in sheets.written)


def test_missing_networks_are_an_error() -> None:
    models = Models.load()
    with pytest.raises(BadInput, match="gohd download faces"):
        pictures(replace(models, reader=None), [])
    with pytest.raises(BadInput, match="at least 1"):
        PicturePlan(step=0)


@needs_face_networks
def test_a_photograph_talks(tmp_path, monkeypatch) -> None:
    from PIL import Image
    from skimage import data

    monkeypatch.setenv("GOHD_FACES", str(FACES))
    pictures_folder = tmp_path / "pictures"
    pictures_folder.mkdir()
    Image.fromarray(data.astronaut()).save(pictures_folder / "astronaut.png")
    Image.fromarray(noise_picture(96)).save(pictures_folder / "noise.png")
    out = tmp_path / "report.json"
    command = ["benchmark", "pictures", str(pictures_folder), "--size", "256", "--step", "40"]
    assert main([*command, "--sheets", str(tmp_path / "sheets"), "--json", str(out)]) == 0
    tables = {table.title: table for table in Report.read(out).tables}
    talk = tables["Pictures"].rows["astronaut.png"]
    assert talk["face seen"] == 1 and talk["own pose dB"] > 40 and talk["closes to"] < 0.05
    followed = tables["Commanded against measured"].rows["astronaut.png"]
    assert followed["jaw r"] > 0.95 and followed["head yaw r"] > 0.95 and followed["lids left"] < 0.7
    assert "No face" in tables["Refused"].rows["noise.png"]["sentence"]
    assert (tmp_path / "sheets" / "sheet_00.jpg").is_file()


@needs_face_networks
def test_speed_and_memory_by_size(monkeypatch) -> None:
    from skimage import data

    monkeypatch.setenv("GOHD_FACES", str(FACES))
    models = Models.load()
    picture = data.astronaut()
    motion = prepare_portrait(picture, reader=models.reader).motion.fitted(2)
    table = speed_table(models, picture, motion, (256, 320))
    assert list(table.rows) == ["256 px", "320 px"]
    for row in table.rows.values():
        assert row["reading s"] > 0 and row["encoding s"] > 0 and row["MiB, 8 frames"] > 100
        assert row["prepared s"] == pytest.approx(row["reading s"] + row["encoding s"], rel=1e-3)
        assert row["frames a second"] > 0 and row["of video a second"] > 0
