"""Own data from the first votes to the report: every step is told by the console of the one before."""

import json

import pyarrow.parquet as pq
import pytest

from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import verify
from tests.support.own_data import ANNOTATORS, CLASSES, FIRST_ROUND, N_PERSONS, plans
from tests.support.own_data_walk import DATA, FIRST, NoHintError, Step, walk

WORK = f"fgbench-data/{DATA}/work"


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    here = tmp_path_factory.mktemp("walk")
    return here, walk(here)


@pytest.mark.slow
@pytest.mark.timeout(3600)  # minutes on a quiet machine, drawing included
def test_the_console_leads_from_the_first_votes_to_the_report(walked):
    steps = walked[1]
    assert [step.command for step in steps[:2]] == [FIRST, FIRST]
    assert [step.command.split()[1] for step in steps] == [
        "prepare", "prepare", "audit", "baseline", "train", "report", "report", "leaderboard",
    ]  # fmt: skip
    assert {step.command: step.code for step in steps} == dict.fromkeys(
        [step.command for step in steps], 0
    ), "\n".join(step.output for step in steps if step.code)
    assert all("Traceback" not in step.output for step in steps)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_walk_ends_in_sound_results(walked):
    here, steps = walked
    second = steps[1].output
    n_again = int(steps[0].first_match(r"(\d+) clips? to be voted on again"))
    assert 0 < n_again < len(plans())
    assert "to be voted on again" not in second
    index = json.loads((here / WORK / "manifests" / "index.json").read_text())
    assert sorted(index["classes"]) == sorted(CLASSES)
    assert index["synthetic"] is False
    clips = pq.read_table(here / WORK / "manifests" / "clips.parquet").to_pylist()
    assert len(clips) > 0.9 * len(plans())
    people = {
        part: {clip["subject_id"] for clip in clips if clip["split"] == part} for part in ("train", "test")
    }
    assert not people["train"] & people["test"]
    assert len(set.union(*people.values())) <= N_PERSONS
    for part in ("train", "test"):
        assert {clip["label"] for clip in clips if clip["split"] == part} == set(CLASSES)
    runs = sorted((here / WORK / "runs").iterdir())
    assert len(runs) == 2
    for run in runs:
        verify(run / "0" / "0")
        assert sorted(read_predictions(run / "0" / "0").classes) == sorted(CLASSES)
        assert run.name in steps[-1].output
    assert (here / WORK / "reports" / "report.html").is_file()


def test_a_step_that_the_console_does_not_tell_is_refused():
    step = Step(command="fgbench x", code=0, output="next: fgbench audit w; fgbench y\ndone\n", seconds=0.0)
    assert step.next("fgbench y") == "fgbench y"
    with pytest.raises(NoHintError, match="fgbench report"):
        step.next("fgbench report")
    with pytest.raises(NoHintError):
        step.first_match(r"in (\S+reannotate\.csv)")


def test_annotators_err_as_the_model_says(tmp_path):
    from tests.support.own_data import Shown, add_votes

    shown = [
        Shown(clip=f"c{number}", label=CLASSES[number % 9], subject="s", key_frame=15, n_frames=30)
        for number in range(200)
    ]
    assert add_votes(tmp_path, shown, FIRST_ROUND, round_=1) == 200 * len(ANNOTATORS)
    lines = (tmp_path / "votes.csv").read_text().splitlines()[1:]
    wrong = [
        line.split(",")[2] != one.label
        for one, group in zip(shown, (lines[n : n + 5] for n in range(0, len(lines), 5)), strict=True)
        for line in group
    ]
    assert 0.26 < sum(wrong) / len(wrong) < 0.34
    again = tmp_path / "again"
    again.mkdir()
    add_votes(again, shown, FIRST_ROUND, round_=1)
    assert (again / "votes.csv").read_text().splitlines()[1:] == lines
