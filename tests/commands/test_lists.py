"""Lists of results: rows of CSV and JSON, their options, and names that never collide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("hypothesis", reason="hypothesis is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from gohd_core.cli import parser
from gohd_core.commands import drive, talk
from gohd_core.commands.lists import listed_jobs, read_rows
from gohd_core.errors import BadInput
from tests.support import batch_makers

CSV = "word,mask,output,times,look,marked,whole\na.png,,one,3,away,yes,no\nsub/b.png,m.png,,,,,\n"
ROWS = [
    {"word": "a.png", "output": "one.txt", "times": 3, "look": "away", "marked": True, "whole": False},
    {"word": "sub/b.png", "mask": "m.png", "times": None},
]


def jobs_of(path: Path, *options: object):
    arguments = batch_makers.arguments("--list", path, "--output", path.parent / "out", *options)
    return listed_jobs(arguments, batch_makers.add_commands, ("word", "mask"), ".txt", optional=("mask",))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.csv", CSV),
        ("bom.csv", "\ufeff" + CSV.replace("\n", "\r\n")),
        ("semicolons.csv", CSV.replace(",", ";")),
        ("l.tsv", CSV.replace(",", "\t")),
        ("l.json", json.dumps(ROWS)),
        ("l.jsonl", "\n".join(map(json.dumps, ROWS)) + "\n\n"),
    ],
)
def test_all_forms_say_the_same(tmp_path, name, content) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    first, second = jobs_of(tmp_path / name, "--times", 7)
    assert first.sources == {"word": tmp_path / "a.png", "mask": None}
    assert second.sources == {"word": tmp_path / "sub" / "b.png", "mask": tmp_path / "m.png"}
    assert (first.target, second.target) == (tmp_path / "out" / "one.txt", tmp_path / "out" / "b-m.txt")
    own = first.arguments
    assert (own.times, own.look, own.marked, own.whole) == (3, "away", True, False)
    rest = second.arguments
    assert (rest.times, rest.look, rest.marked, rest.whole) == (7, "hold", False, True)


def test_an_input_of_all_rows_is_named_once(tmp_path) -> None:
    (tmp_path / "l.csv").write_text("word,mask\na.png,\nb.png,m.png\n")
    common = Path("common.png")
    masks = [job.sources["mask"] for job in jobs_of(tmp_path / "l.csv", "--mask", common)]
    assert masks == [common, tmp_path / "m.png"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no rows"),
        ("word\n", "holds no rows"),
        ("mask\nm.png\n", "Row 1 of l.csv has no word; give it one, or --word for all rows"),
        ("word,times\na,1\nb,many\n", "Row 2 of l.csv: argument --times: invalid int value: 'many'."),
        ("word,look\na,up\n", "Row 1 of l.csv: argument --look: invalid choice"),
        ("word,tims\na,1\n", "'tims' is no input, and no option that a row can set"),
        ("word,models\na,x\n", "'models' is no input"),
        ("word,report\na,x.json\n", "'report' is no input"),
        ("word,marked\na,perhaps\n", "marked is 'perhaps'; give true or false"),
        ("word\na,b\n", "row 1 has more columns than the head"),
        ("word,output\na,x\nb,X.txt\n", "Two rows of l.csv have the output"),
        ("word,output\na,../x\n", "must lie within the folder"),
        ("word,output\na,/x\n", "must lie within the folder"),
    ],
)
def test_errors_name_their_row(tmp_path, content, said) -> None:
    (tmp_path / "l.csv").write_text(content)
    with pytest.raises(BadInput) as error:
        jobs_of(tmp_path / "l.csv")
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "[1, 2]", "\x00"])
def test_bad_lists_are_named(tmp_path, content) -> None:
    (tmp_path / "l.json").write_text(content)
    with pytest.raises(BadInput, match="is no list of rows"):
        read_rows(tmp_path / "l.json")
    with pytest.raises(BadInput, match="can't be read as a list"):
        read_rows(tmp_path / "nothing.csv")


NAMES = st.text("aAbé-.1 ", min_size=1, max_size=4).map(lambda name: f"x{name}x")


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(NAMES, st.one_of(st.none(), NAMES)), min_size=1, max_size=8))
def test_no_two_rows_have_one_name(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.getbasetemp() / "names.json"
    path.write_text(json.dumps([{"word": f"{word}.png", "output": output} for word, output in rows]))
    outputs = [output.casefold() for _, output in rows if output]
    if len(set(outputs)) < len(outputs):
        with pytest.raises(BadInput, match="give each its own"):
            jobs_of(path)
        return
    made = [str(job.target).casefold() for job in jobs_of(path)]
    assert len(set(made)) == len(rows)


def test_the_list_on_the_page_is_one(tmp_path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "BATCHES.md").read_text(encoding="utf-8")
    (tmp_path / "clips.csv").write_text(page.split("```csv\n")[1].split("```")[0])
    command = page.split("gohd talk ")[1].split("\n")[0].replace("clips.csv", str(tmp_path / "clips.csv"))
    arguments = parser().parse_args(["talk", *command.split()])
    jobs = listed_jobs(arguments, talk.add_commands, ("portrait", "audio"), ".mp4")
    made = [job.target.relative_to("videos").as_posix() for job in jobs]
    assert made == ["anna-hello.mp4", "ben/hello.mp4", "ben-news.mp4"]
    assert [(job.arguments.seed, job.arguments.gaze) for job in jobs] == [
        (1, "hold"),
        (2, "sample"),
        (3, "0,20"),
    ]


def test_drivers_of_a_list_bring_portrait_and_sound(tmp_path) -> None:
    (tmp_path / "l.json").write_text(
        '[{"video": "a.mp4"}, {"video": "a.mp4", "audio": "b.wav", "pose": "own"}]'
    )
    given = parser().parse_args(["drive", "--list", str(tmp_path / "l.json"), "-p", "p.png", "-o", "out"])
    plain, other = drive.jobs_of_list(given)
    assert plain.sources == {"driver": tmp_path / "a.mp4", "portrait": Path("p.png")}
    assert (plain.arguments.audio, other.arguments.audio) == (None, tmp_path / "b.wav")
    assert (plain.arguments.pose, other.arguments.pose) == ("video", "own")
    assert [job.target.name for job in (plain, other)] == ["p-a.mp4", "p-a-b.mp4"]
