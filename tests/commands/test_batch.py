"""Several results of one command: their places, shards, skipped and failed ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gohd_core.commands.batch import Job, result_paths, run_batch
from gohd_core.errors import BadInput, Interrupted
from tests.support import batch_makers
from tests.support.batch_makers import maker, sentence, status


def test_one_result_goes_where_it_is_said_and_several_into_a_folder(tmp_path) -> None:
    one, two = (Path("a.png"),), (Path("b.mp4"),)
    assert result_paths(tmp_path / "v.mp4", [one], ".mp4", several=False) == [tmp_path / "v.mp4"]
    assert result_paths(tmp_path, [one], ".mp4", several=False) == [tmp_path / "a.mp4"]
    found = result_paths(tmp_path / "new", [one, two], [".png", ".mp4"], several=True)
    assert found == [tmp_path / "new" / "a.png", tmp_path / "new" / "b.mp4"]
    with pytest.raises(BadInput, match=r"need a folder"):
        result_paths(tmp_path / "v.mp4", [one, two], ".mp4", several=True)


@pytest.fixture
def made(tmp_path):
    def make(names: str, *options: object) -> int:
        given = batch_makers.arguments("--output", tmp_path, *options)
        jobs = [Job({"word": Path(n)}, tmp_path / f"{n}.txt", given) for n in names.split()]
        return run_batch(jobs, maker, given, sentence=sentence, status=status)

    return make


def there(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.txt"))


def test_jobs_after_a_failure_run(made, tmp_path, capsys) -> None:
    assert made("a bad worse b") == 1
    written = capsys.readouterr()
    assert written.out == "a is done\nb is done\n"
    assert written.err.splitlines() == [
        "gohd: bad: No face.",
        "gohd: worse: ZeroDivisionError: by zero (see --verbose).",
        "gohd: of 4, 2 failed.",
    ]
    assert there(tmp_path) == ["a", "b"]
    assert made("a b") == 0 and made("a odd") == 3 and made("bad odd") == 3


def test_json_is_a_line_each(made, capsys) -> None:
    assert made("a bad", "--json") == 1
    written = capsys.readouterr()
    first, second = (json.loads(line) for line in written.out.splitlines())
    assert set(first) == {"made", "process"} and second == {"word": "bad", "error": "No face."}
    assert written.err == ""


def test_a_single_failure_and_a_stop_end_the_command(made, tmp_path) -> None:
    with pytest.raises(BadInput, match="No face"):
        made("bad")
    with pytest.raises(Interrupted):
        made("a stop b", "--report", tmp_path / "r.json")
    assert there(tmp_path) == ["a"]
    assert len(json.loads((tmp_path / "r.json").read_text())["made"]) == 1


def test_shards_share_the_work_without_a_rest(made, tmp_path) -> None:
    """Every one is made by one shard, whatever the number of shards."""
    names = "a b c d e f g"
    for parts in (1, 2, 3, 7, 9):
        by_shard = []
        for part in range(1, parts + 1):
            assert made(names, "--shard", f"{part}/{parts}") == 0
            by_shard.append(there(tmp_path))
            for path in tmp_path.glob("*.txt"):
                path.unlink()
        assert sorted(name for shard in by_shard for name in shard) == names.split()
        assert max(map(len, by_shard)) - min(map(len, by_shard)) <= 1


@pytest.mark.parametrize("word", ["0/2", "3/2", "1", "1/0", "a/b", "-1/2", "1/2/3"])
def test_a_bad_shard_is_wrong_usage(word, capsys) -> None:
    with pytest.raises(SystemExit):
        batch_makers.arguments("--output", "x", f"--shard={word}")
    assert "is not like 2/5" in capsys.readouterr().err


def test_existing_results_are_left_alone(made, tmp_path, capsys) -> None:
    (tmp_path / "b.txt").write_text("mine")
    assert made("a b bad", "--skip-existing") == 1
    assert (tmp_path / "b.txt").read_text() == "mine"
    assert capsys.readouterr().err.endswith("gohd: of 3, 1 failed and 1 were there already.\n")
    assert made("a b", "--skip-existing") == 0
    assert capsys.readouterr().out == ""


def test_the_report_says_what_was_made_and_what_failed(made, tmp_path) -> None:
    (tmp_path / "c.txt").touch()
    options = ["--report", tmp_path / "r.json", "--skip-existing", "--shard", "2/2"]
    assert made("x a bad c", *options) == 1
    report = json.loads((tmp_path / "r.json").read_text())
    assert report == {
        "command": "copy",
        "shard": "2/2",
        "jobs": 2,
        "skipped": 1,
        "made": [],
        "failed": [{"word": "bad", "error": "No face."}],
    }
    with pytest.raises(BadInput, match="ends otherwise"):
        made("a", "--report", tmp_path / "r.txt")


def test_processes_make_the_same_as_one(made, tmp_path, capsys) -> None:
    assert made("a bad b c", "--jobs", 2, "--json") == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["word"]: line["error"] for line in lines if "error" in line} == {"bad": "No face."}
    assert os.getpid() not in {line["process"] for line in lines if "process" in line}
    assert there(tmp_path) == ["a", "b", "c"]
    with pytest.raises(BadInput, match="A worker process ended unexpectedly.*fewer workers"):
        made("gone a", "--jobs", 2)


def test_a_bar_over_all_is_shown_where_somebody_watches(made, capsys, monkeypatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    made("a bad b c")
    bars = [part for part in capsys.readouterr().err.split("\r") if part.startswith("[")]
    assert bars[0].startswith("[" + "-" * 24 + "] 0 of 4 ")
    assert bars[-1].startswith("[" + "#" * 24 + "] 4 of 4, 1 failed ")
