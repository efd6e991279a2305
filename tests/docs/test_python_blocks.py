"""The commands and the Python of the documentation, run as they stand, in a folder with ``my-clips``."""

import csv
import shlex
import shutil

import cv2
import duckdb
import pytest
from typer.testing import CliRunner

import fgbench
from fgbench.cli.app import app
from fgbench.methods.steps.images import train_images
from fgbench.workfolders.manifest_index import read_index
from tests.support.doc_blocks import blocks
from tests.support.drawn_clips import CLASSES, write_drawn_clips
from tests.support.tiny_work import FAST, plain_recipe

WORK = "fgbench-data/my-clips/work"
NETWORK = f"{WORK}/runs/msau-small/0/0"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.usefixtures("one_thread")]


def of(*ways):
    return [one for one in blocks() if one.kind != "not run" and one.kind != "tested" and one.way in ways]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The folder that the pages are in: ``my-clips``, and what README's commands made of it."""
    folder = tmp_path_factory.mktemp("pages")
    write_drawn_clips(folder / "my-clips")
    shutil.copy(folder / "my-clips" / "videos" / "c00.mp4", folder / "my-clips" / "videos" / "a.mp4")
    with (folder / "my-clips" / "annotations.csv").open("a", newline="") as file:
        file.write("\n")
        csv.writer(file).writerow(["a", "anger", "", 2])
    (commands,) = of("commands for real")
    assert commands.page == "README.md"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in commands.text.splitlines():
            program, *words = shlex.split(line)
            assert program == "fgbench"
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, f"{line}\n{done.output}"
    with (folder / "predictions.csv").open("w", newline="") as file:
        rows = [(clip, CLASSES[0]) for clip in fgbench.open(folder / WORK).clips_in("test")["clip_id"]]
        csv.writer(file).writerows([("clip", "label"), *rows])
    return folder


@pytest.fixture(scope="module")
def with_network(here):
    """The same with a trained network, called as in the pages, and a photograph."""
    recipe = plain_recipe(name="msau-small", optimiser=FAST | {"epochs": 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        (folder,) = train_images(recipe, WORK, device="cpu")
        assert folder.as_posix().endswith(NETWORK)
        picture = fgbench.open(WORK).images("test")[0]
        large = cv2.copyMakeBorder(picture, 60, 60, 60, 60, cv2.BORDER_REPLICATE)
        assert cv2.imwrite("photo.jpg", cv2.cvtColor(large, cv2.COLOR_RGB2BGR))
    return here


def test_the_commands_of_the_readme_make_scores_and_a_page(here):
    assert (here / WORK / "reports" / "report.html").is_file()
    assert (here / WORK / "runs" / "lbp-svm" / "0" / "0" / "result.json").is_file()


@pytest.mark.parametrize("page", sorted({one.page for one in of("python")}))
def test_python_of_a_page_runs_from_top_to_bottom(page, with_network, monkeypatch):
    monkeypatch.chdir(with_network)
    names: dict[str, object] = {}
    for one in of("python", "python with a network"):
        if one.page == page:
            exec(compile(one.text, one.name, "exec"), names)
    if "work" in names:
        assert names["work"].classes == CLASSES
        assert names["run"].scores.shape == (3, 4)
    if "faces" in names:
        assert len(names["faces"]) == len(names["labels"]) > 0
        assert names["face"] is not None
    if "said" in names:
        assert names["said"].label in CLASSES
    if "other" in names:
        assert names["other"].scores.loc["uar", "mean"] == pytest.approx(1 / len(CLASSES))
        assert (with_network / "leaderboard.tex").stat().st_size > 0
        assert (with_network / "confusion.png").read_bytes().startswith(b"\x89PNG")
    if "second" in names:
        assert names["first"].scores.loc["uar", "score"] > names["second"].scores.loc["uar", "score"]


def test_pages_with_python_are_those_expected():
    assert {one.page for one in of("python")} >= {"README.md", "docs/python.md", "docs/evaluation.md"}
    assert [one.page for one in of("python with a network")] == ["docs/python.md"]


def test_tables_are_read_as_the_page_says(here, monkeypatch, tmp_path):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    monkeypatch.chdir(here / WORK)
    (one,) = of("python in the work folder")
    names: dict[str, object] = {}
    exec(compile(one.text, one.name, "exec"), names)
    work = fgbench.open(here / WORK)
    assert len(names["clips"]) == len(work.clips)
    assert len(names["faces"]) == len(work.faces())
    counts = read_index(here / WORK)["counts"]
    assert {part: len(names["images"][part]) for part in names["images"]} == {
        part: counts[part]["augmented"] for part in counts if counts[part]["images"]
    }


def test_sql_gives_the_numbers_of_the_manifests(here, monkeypatch):
    monkeypatch.chdir(here / WORK)
    (one,) = of("sql")
    found = {(part, label): count for part, label, count in duckdb.execute(one.text).fetchall()}
    table = fgbench.open(here / WORK).images().table
    assert found == table.groupby(["split", "label"]).size().to_dict()
