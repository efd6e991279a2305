"""The campaigns themselves: what is wrong is seen, and a case is the same each time."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from tests.support.campaigns import media, pictures, recipes, tables
from tests.support.campaigns.cases import SEED, Case, expect_none, parse
from tests.support.campaigns.commands import MEMORY_MB, Commands, Ended

WELL = Ended(
    arguments=("status", "work"),
    status=0,
    stopped="",
    seconds=1.0,
    peak_mb=300.0,
    lingering=False,
    output="all is well\n",
    errors="",
)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            {"errors": "Traceback (most recent call last):\n  x\nKeyError: 'a'\n", "status": 7},
            "traceback: KeyError",
        ),
        ({"status": 1, "errors": "what happened"}, "exit code 1: what happened"),
        ({"status": -11}, "exit code -11"),
        ({"stopped": "time", "status": -9, "seconds": 60.1}, "no end after 60 s"),
        ({"stopped": "memory", "status": -9, "peak_mb": 2100.0}, "2100 MB of memory"),
        ({"peak_mb": MEMORY_MB + 1}, "MB of memory"),
        ({"lingering": True}, "processes left behind"),
        ({"output": "x" * 300_000}, "printed 300000 characters"),
    ],
)
def test_what_must_not_be_is_a_fault(change, fault):
    actual = dataclasses.replace(WELL, **change).faults()
    assert len(actual) == 1
    assert fault in actual[0]


@pytest.mark.parametrize(
    "change", [{}, {"status": 3, "errors": "error: no"}, {"stopped": "kill", "status": -9}]
)
def test_what_may_be_is_none(change):
    assert dataclasses.replace(WELL, **change).faults() == []


@pytest.mark.slow
def test_commands_tell_exit_code_output_and_memory(commands: Commands):
    ended = commands.run("prepare", "nope")
    assert ended.status == 3
    assert "unknown recipe 'nope'" in ended.errors
    assert 20 < ended.peak_mb < MEMORY_MB
    killed = commands.run("doctor", kill_after_s=0.0)
    assert (killed.stopped, killed.status, killed.faults()) == ("kill", -9, [])


@pytest.mark.slow
def test_a_case_is_the_same_each_time(tmp_path: Path):
    seeds = pictures.make_seeds()

    def written(position: str) -> dict[str, bytes]:
        folder = tmp_path / position
        folder.mkdir()
        for number in range(12):
            pictures.write_case(Case("pictures", SEED, number), folder, seeds)
        tables.write_case(Case("tables", SEED, 5), folder)
        recipes.write_case(Case("recipes", SEED, 4), folder)
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    assert written("one") == written("other")


def test_a_failing_case_is_named_so_that_it_can_be_made_again():
    case = parse("tables:7:3")
    with pytest.raises(pytest.fail.Exception, match="1 of 2 cases") as failure:
        expect_none({case: ["lost"], Case("tables", 7, 4): []}, "test_tables")
    assert "--campaign-case tables:7:3" in str(failure.value)
    with pytest.raises(pytest.UsageError, match="expected one of media"):
        parse("nothing:7:3")


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="this system has no such policies")
def test_making_videos_leaves_the_priority_of_the_process(tmp_path: Path) -> None:
    """A real-time thread would starve whatever is tested after it."""
    before = os.sched_getscheduler(0)
    made = media.write_seeds(tmp_path, [form for form in media.FORMATS if form[0] == "av1.mp4"])
    assert list(made) == ["av1.mp4"]
    assert os.sched_getscheduler(0) == before
