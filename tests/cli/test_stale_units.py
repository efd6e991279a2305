"""Runs of action units whose labels have changed since: marked on the page and by ``evaluate``; and runs of
classes on a trunk that was trained on such labels."""

import csv
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tests.support.clip_folders import write_folder
from tests.support.fake_trees import Prepared
from tests.support.page_reading import blocks

sys.path.append(str(Path(__file__).parents[1] / "training"))

from fgbench.cli.app import app
from fgbench.config import TrainAuConfig
from fgbench.methods._networks.carried_units import write_carried_units
from fgbench.methods.steps.units import train_units
from fgbench.reports.freshness import read_present
from fgbench.runs.trained_units import TRAINED_UNITS, read_trained_units
from tests.support.tiny_work import RESIZE_PX, TRUNK

UNITS = ("au04", "au12")
MARK = "Old labels (au-tiny/0/0): test samples have other labels now"
OLD_DATA = "Old data (au-tiny/0/0): made from data of this work folder that have changed since"


def annotate(root, *, changed="", further=()):
    """Every third frame of twelve clips; of one clip the first unit is the other way round.

    ``further`` are rows of other frames.
    """
    with (root / "action_units.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "frame", *UNITS])
        for number in range(12):
            clip = f"c{number:03d}"
            for frame in range(0, 6, 3):
                first = (number + frame) % 2
                writer.writerow([clip, frame, 1 - first if clip == changed else first, number % 2])
        writer.writerows(further)


@pytest.fixture
def here(tmp_path):
    root = write_folder(tmp_path / "clips", 12)
    with (root / "annotations.csv").open("w") as file:
        file.write("clip,split\n")
        file.writelines(f"c{number:03d},{('train', 'val', 'test')[number // 4]}\n" for number in range(12))
    annotate(root)
    work = Prepared("action-units", root, tmp_path / "work", faces={"align": "never"}).work
    config = TrainAuConfig.model_validate(
        {
            "name": "au-tiny",
            "action_units": UNITS,
            "frame_step": 1,
            "trunk": TRUNK,
            "fc_hidden": None,
            "embedding": 8,
            "optimiser": {"epochs": 1, "batch": 8},
            "data": {"resize_px": RESIZE_PX},
        }
    )
    train_units(config, work, device="cpu")
    return root, work


def output_and_state(work):
    """What ``evaluate`` prints, and the state of the run on the page."""
    done = CliRunner().invoke(app, ["evaluate", "au-tiny", "--workdir", str(work), "--device", "cpu"])
    assert done.exit_code == 0, done.output
    page = work.parent / "page.html"
    made = CliRunner().invoke(app, ["report", "--html", "--workdir", str(work), "--out", str(page)])
    assert made.exit_code == 0, made.output
    (run,) = blocks(page.read_text())["origin"]["runs"]
    return done.stdout, run["state"]


@pytest.mark.slow
def test_a_run_is_marked_where_a_test_frame_has_another_label_now(here):
    root, work = here
    output, state = output_and_state(work)
    assert "Old labels" not in output
    assert state == "now"
    annotate(root, changed="c009")
    output, state = output_and_state(work)
    assert MARK in output
    assert state == "old labels"
    annotate(root)
    assert output_and_state(work)[1] == "now"


@pytest.mark.slow
def test_a_run_is_marked_where_a_training_frame_has_another_label_now(here):
    root, work = here
    annotate(root, changed="c001")
    output, state = output_and_state(work)
    assert OLD_DATA in output
    assert state == "old data"


def test_a_run_is_marked_where_further_frames_are_labelled_now(here):
    root, work = here
    annotate(root, further=[["c001", 1, 1, 0], ["c000", 99, 1, 0]])
    assert output_and_state(work)[1] == "old data"
    annotate(root, further=[["c000", 99, 1, 0]])  # beyond the end of the clip: no face, no sample
    assert output_and_state(work)[1] == "now"


def test_a_run_is_marked_where_its_clips_are_tested_no_more(here):
    root, work = here
    with (root / "annotations.csv").open("w") as file:
        file.write("clip,split\n")
        parts = ("train", "train", "test", "val")
        file.writelines(f"c{number:03d},{parts[number // 3]}\n" for number in range(12))
    Prepared("action-units", root, work, faces={"align": "never"})
    page = work.parent / "page.html"
    made = CliRunner().invoke(app, ["report", "--html", "--workdir", str(work), "--out", str(page)])
    assert made.exit_code == 0, made.output
    (run,) = blocks(page.read_text())["origin"]["runs"]
    assert run["state"] == "old labels"


@pytest.mark.slow
def test_runs_of_classes_on_a_trunk_of_such_labels_are_marked(here, tmp_path):
    """Its table of labels goes with the weights: the run need not be there any more."""
    root, work = here
    trunk = work / "runs/au-tiny/0/0"
    name = read_present(work).dataset
    trained = SimpleNamespace(path=trunk / "weights.safetensors", metadata={"action_units": list(UNITS)})
    run, joint, elsewhere, plain = (tmp_path / one for one in ("run", "joint", "elsewhere", "plain"))
    for folder, start, dataset, images in (
        (run, trained, "another", {}),
        (joint, trained, name, {("c002", 4): (0, 0)}),  # a picture without labels
        (elsewhere, trained, "another", {("c002", 4): (0, 0)}),
        (plain, None, name, {}),
    ):
        folder.mkdir()
        write_carried_units(folder, start, dataset=dataset, images=images)
    known = read_trained_units(run)
    assert known == read_trained_units(trunk)
    assert [known.frames[name, clip, 3] for clip in ("c000", "c001", "c009")] == [(1, -1), (-1, 1), None]
    assert not (plain / TRAINED_UNITS).exists()

    def states():
        present = read_present(work)
        result = {"manifest_digest": min(present.digests)}
        none = SimpleNamespace(clip_ids=[], labels=[])
        return [present.state(result, none, folder) for folder in (run, joint, elsewhere, plain)]

    assert states() == ["now"] * 4
    annotate(root, changed="c009")  # tested by the trunk's run alone
    assert states() == ["now"] * 4
    annotate(root, changed="c005")
    assert states() == ["old data"] * 3 + ["now"]
    annotate(root, further=[["c002", 4, 1, 0]])
    assert states() == ["old data"] * 3 + ["now"]


@pytest.mark.slow
def test_of_a_data_set_that_is_not_at_hand_nothing_is_said(here):
    root, work = here
    (root / "action_units.csv").unlink()
    output, state = output_and_state(work)
    assert "Old labels" not in output
    assert state == "now"
