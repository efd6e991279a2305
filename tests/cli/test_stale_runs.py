"""Runs of data that have changed since are marked in every list, and have no rank if test labels changed."""

import csv
import json
import shutil

import pytest
import yaml
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.runs.results import read_result
from fgbench.workfolders.sealed_json import SEAL, write_sealed
from tests.support.clip_folders import write_folder
from tests.support.page_reading import blocks
from tests.support.tiny_runs import NETWORK, RECIPE

LABELS = ("wrath", "pride", "terror")


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def cli(*arguments):
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done.stdout


def annotate(root, **changes):
    """Write the list of clips: labels in turn, parts too; ``c000={"label": ...}`` changes a clip."""
    columns = ("clip", "label", "key_frame", "confidence", "split")
    with (root / "annotations.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for number in range(18):
            name = f"c{number:03d}"
            part = ("train", "val", "test")[number // 6]
            row = {
                "clip": name,
                "label": LABELS[number % 3],
                "key_frame": 4,
                "confidence": 0.9,
                "split": part,
            }
            writer.writerow(row | changes.get(name, {}))


def prepare(here):
    cli(
        "prepare", here / "plain.yaml", "--data-root", here / "clips", "--workdir", here / "work", "--jobs", 1
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A work folder with two runs, of which one reads features."""
    here = tmp_path_factory.mktemp("stale")
    write_folder(here / "clips", 18)
    annotate(here / "clips")
    own = {"adapter": "fg_emotions", "name": "mine", "scheme": "found"}
    recipe = {"name": "plain", "buckets": 4, "dataset": own, "faces": {"align": "never"}}
    (here / "plain.yaml").write_text(yaml.safe_dump(recipe))
    plain = {"name": "net", "network": NETWORK | {"zooms": 0}, "losses": {"rank": 0}}
    (here / "net.yaml").write_text(yaml.safe_dump(RECIPE | plain))
    prepare(here)
    work = here / "work"
    cli("train", "msau", "--recipe", here / "net.yaml", "--workdir", work, "--jobs", 1, "--device", "cpu")
    cli("baseline", "lbp-svm", "--workdir", work)
    return here


@pytest.fixture
def here(made, tmp_path):
    """A copy of its own, whose data may change."""
    shutil.copytree(made, tmp_path / "here")
    return tmp_path / "here"


def board(here):
    """Run to its rank and what it is of."""
    (table,) = json.loads(cli("leaderboard", "--workdir", here / "work", "--json"))
    rank, run, data = (table["columns"].index(name) for name in ("Rank", "Run", "Data"))
    return {row[run]: (row[rank], row[data]) for row in table["rows"]}


def page(here):
    cli("report", "--html", "--workdir", here / "work", "--out", here / "page.html")
    return blocks((here / "page.html").read_text())


def test_runs_of_the_data_as_they_are_bear_no_mark(here):
    assert {data for _, data in board(here).values()} == {"now"}
    assert {rank for rank, _ in board(here).values()} == {1, 2}
    compared = cli("compare", "lbp-svm", "net", "--workdir", here / "work")
    assert not any(mark in compared for mark in ("versions", "Old", "["))
    assert "**" in cli("report", "--table", "III", "--workdir", here / "work").partition("\n")[2]
    shown = page(here)
    assert {run["state"] for run in shown["origin"]["runs"]} == {"now"}
    assert {run["state"] for run in shown["overview"]["runs"]} == {"now"}


def test_what_no_method_reads_makes_no_run_old(here):
    """The confidence of a clip is told, and neither trained nor tested on."""
    before = (here / "work/manifests/clips.parquet").read_bytes()
    annotate(here / "clips", c000={"confidence": 0.7}, c012={"confidence": 0.8})
    prepare(here)
    assert (here / "work/manifests/clips.parquet").read_bytes() != before
    assert {data for _, data in board(here).values()} == {"now"}
    result = (here / "work/runs/lbp-svm/0/0/result.json").read_bytes()
    cli("baseline", "lbp-svm", "--workdir", here / "work")
    assert (here / "work/runs/lbp-svm/0/0/result.json").read_bytes() == result


def test_another_label_in_training_marks_the_runs(here):
    annotate(here / "clips", c000={"label": "pride"})
    prepare(here)
    ranks = board(here)
    assert {name: data for name, (_, data) in ranks.items()} == {
        "lbp-svm [old data: 1 label changed]": "old data: 1 label changed",
        "net [old data: 1 label changed]": "old data: 1 label changed",
    }
    assert {rank for rank, _ in ranks.values()} == {1, 2}
    for words in (
        ["compare", "lbp-svm", "net"],
        ["report", "--run", "lbp-svm"],
        ["report", "--table", "III"],
    ):
        reported = cli(*words, "--workdir", here / "work")
        assert "[old data: 1 label changed]" in reported.replace("\\", ""), words
        assert "Old data (" in reported, words
        assert "have changed since; run them again" in reported, words
    cli("baseline", "lbp-svm", "--workdir", here / "work")
    assert {name: data for name, (_, data) in board(here).items()} == {
        "lbp-svm": "now",
        "net [old data: 1 label changed]": "old data: 1 label changed",
    }
    assert "Old data (net: 1 label changed)" in cli("compare", "lbp-svm", "net", "--workdir", here / "work")


def test_runs_scored_on_other_test_labels_have_no_rank(here):
    annotate(here / "clips", c012={"label": "pride"})
    prepare(here)
    state = "old labels: 1 changed"
    assert "Old labels (lbp-svm: 1 changed, net: 1 changed)" in cli("status", here / "work")
    assert set(board(here).values()) == {(None, state)}
    cli("baseline", "lbp-svm", "--workdir", here / "work")
    assert board(here) == {"lbp-svm": (1, "now"), f"net [{state}]": (None, state)}
    table = cli("report", "--table", "III", "--workdir", here / "work")
    assert "\\[old labels: 1 changed\\]" in table
    assert "**" not in table.partition("\n")[2]
    shown = page(here)["overview"]
    states = [run["state"] for run in shown["runs"]]
    assert states == ["now", state]
    notes = [note for entry in shown["boards"] for note in entry["notes"]]
    assert any("Old labels (net/0/0: 1 changed)" in note and "no rank" in note for note in notes)


def test_labels_of_training_that_changed_with_those_of_the_test_are_counted_too(here):
    annotate(here / "clips", c000={"label": "pride"}, c012={"label": "pride"})
    prepare(here)
    counts = "1 changed, 1 of training changed"
    assert f"Old labels (lbp-svm: {counts}, net: {counts})" in cli("status", here / "work")
    assert set(board(here).values()) == {(None, f"old labels: {counts}")}


def test_runs_scored_on_clips_that_are_tested_no_more_have_no_rank(here):
    """Their scores are of other samples than those of the runs beside them."""
    annotate(here / "clips", c000={"split": "test"}, c012={"split": "train"})
    prepare(here)
    state = "old labels: 1 gone"
    assert set(board(here).values()) == {(None, state)}
    cli("baseline", "lbp-svm", "--workdir", here / "work")
    assert board(here) == {"lbp-svm": (1, "now"), f"net [{state}]": (None, state)}


def test_that_clips_are_tested_no_more_is_seen_without_a_digest_too(here):
    path = here / "work/runs/net/0/0/result.json"
    gone = ("manifest_digest", "digest_kind", SEAL)
    write_sealed(path, {key: value for key, value in read_result(path.parent).items() if key not in gone})
    annotate(here / "clips", c000={"split": "test"}, c012={"split": "val"})
    prepare(here)
    state = "old labels: 1 gone"
    assert board(here)[f"net [{state}]"] == (None, state)


def test_of_runs_without_a_digest_nothing_is_known(here):
    path = here / "work/runs/lbp-svm/0/0/result.json"
    result = read_result(path.parent)
    gone = ("manifest_digest", "digest_kind", SEAL)
    write_sealed(path, {key: value for key, value in result.items() if key not in gone})
    assert board(here)["lbp-svm [not known]"][1] == "not known"
    assert "Not known (lbp-svm)" in cli("compare", "lbp-svm", "net", "--workdir", here / "work")
    assert {run["key"]: run["state"] for run in page(here)["origin"]["runs"]} == {
        "lbp-svm/0/0": "not known",
        "net/0/0": "now",
    }
