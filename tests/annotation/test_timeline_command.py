"""``fgbench annotate import`` of files of ELAN and Praat."""

import csv

import pytest
from typer.testing import CliRunner

import fgbench
from fgbench.annotation.clip_list import clip_files
from fgbench.cli.app import app
from tests.support.clip_folders import write_plain_clip
from tests.support.timelines import textgrid, write_eaf


@pytest.fixture
def root(tmp_path):
    write_plain_clip(tmp_path / "videos" / "film.mp4", 50)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["annotate", "import", *map(str, words)])


def test_two_annotators_in_two_programs_vote_on_one_cut_clip(root):
    eaf = write_eaf(root / "film.eaf", {"label": [(0.4, 0.8, "anger")]}, annotators={"label": "P1"})
    grid = root / "film.TextGrid"
    grid.write_text(textgrid({"label@ben": [(0.4, 0.8, "unsure")]}, 2.0), encoding="utf-8")
    done = run(eaf, grid, "--data-root", root, "--cut", "--annotator", "P1=ann")
    assert done.exit_code == 0, done.output
    assert "2 votes added, 0 there already, 1 clip cut, 0 rejected" in done.output
    with (root / "votes.csv").open(newline="", encoding="utf-8") as file:
        rows = {(row["clip"], row["annotator"], row["label"]) for row in csv.DictReader(file)}
    clip = "film/00000400-00000800"
    assert rows == {(clip, "ann", "anger"), (clip, "ben", "unsure")}
    assert [one.clip_id for one in clip_files(root).all_clips()] == ["film", clip]


def test_rejects_are_told_and_the_command_ends_well(root):
    path = write_eaf(root / "film.eaf", {"emotion": [(0.4, 0.8, "anger"), (1.0, 1.2, "nothing")]})
    done = run(path, "--data-root", root, "--label-tier", "emotion")
    assert done.exit_code == 0, done.output
    assert "0 labels added" in done.output
    assert "part_of_recording" in done.output
    assert "'nothing' is no class" in done.output


def test_what_is_of_no_use_and_files_of_several_kinds_are_refused(root):
    path = write_eaf(root / "film.eaf", {"label": [(0.0, 2.0, "anger")]})
    done = run(path, "--data-root", root, "--update")
    assert done.exit_code == 2
    assert "--update" in done.output
    done = run(path, root / "votes.json", "--data-root", root)
    assert done.exit_code == 2
    assert "several kinds" in done.output
    assert isinstance(fgbench.import_votes(path, root), fgbench.ImportedTimelines)
