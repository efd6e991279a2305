"""Runs of action units whose labels have changed since: marked on the page and by ``evaluate``."""

import csv
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.clip_folders import write_folder
from tests.support.fake_trees import Prepared
from tests.support.page_reading import blocks

sys.path.append(str(Path(__file__).parents[1] / "training"))

from fgbench.cli.app import app
from fgbench.config import TrainAuConfig
from fgbench.methods.steps.units import train_units
from tests.support.tiny_work import RESIZE_PX, TRUNK

UNITS = ("au04", "au12")
MARK = "Old labels (au-tiny/0/0): test samples have other labels now"


def annotate(root, *, changed=""):
    """Every third frame of twelve clips; of one clip the first unit is the other way round."""
    with (root / "action_units.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "frame", *UNITS])
        for number in range(12):
            clip = f"c{number:03d}"
            for frame in range(0, 6, 3):
                first = (number + frame) % 2
                writer.writerow([clip, frame, 1 - first if clip == changed else first, number % 2])


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
    annotate(root, changed="c001")
    assert output_and_state(work)[1] == "now"


@pytest.mark.slow
def test_of_a_data_set_that_is_not_at_hand_nothing_is_said(here):
    root, work = here
    (root / "action_units.csv").unlink()
    output, state = output_and_state(work)
    assert "Old labels" not in output
    assert state == "now"
