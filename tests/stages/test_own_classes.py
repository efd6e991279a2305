"""Clips with a part of the 33 classes, and with classes of one's own, up to the result of a baseline."""

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.run.sheet import sheet_tables
from fgbench.runs.labels import read_labels
from fgbench.runs.predictions import read_predictions
from fgbench.storage import read_rows
from tests.support.clip_folders import write_folder
from tests.support.fake_trees import Prepared

pytestmark = pytest.mark.slow

WHOLE = {"align": "never"}


def relabel(root, labels, *, column="label"):
    """Give the clips of a folder these labels in turn."""
    table = root / "annotations.csv"
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, column: labels[index % len(labels)]} for index, row in enumerate(rows))
    return root


def write_voted(root, labels):
    """A folder of clips with votes; by clip, what each annotator called it."""
    write_folder(root, len(labels))
    (root / "annotations.csv").unlink()
    with (root / "votes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "annotator", "label", "confidence", "key_frame"])
        for index, voted in enumerate(labels):
            for person, label in enumerate(voted):
                writer.writerow([f"c{index:03d}", f"p{person}", label, 0.9, 4])
    return root


def prepared(tmp_path, labels, n=18, **dataset):
    root = relabel(write_folder(tmp_path / "in", n), labels)
    own = {"adapter": "fg_emotions", "name": "mine", "scheme": "found", **dataset}
    return Prepared("default", root, tmp_path / "work", faces=WHOLE, dataset=own)


def test_a_part_of_the_33_gets_a_result(tmp_path):
    made = prepared(tmp_path, ["wrath", "pride", "terror"])
    labels = read_labels(made.index)
    assert (labels.name, labels.labels) == ("fg33-part", tuple(made.index["classes"]))
    assert labels.labels == ("wrath", "terror", "pride")
    assert labels.basic == ("anger", "fear", "happiness")
    done = CliRunner().invoke(app, ["baseline", "lbp-svm", "--workdir", str(tmp_path / "work")])
    assert done.exit_code == 0, done.output


def test_own_classes_with_upper_classes_reach_manifests_and_label_set(tmp_path):
    upper = {"boredom": "low", "zeal": "high", "calm": "low"}
    made = prepared(tmp_path, ["zeal", "Boredom", "calm", "other"], classes=(*upper,), upper=upper)
    assert (made.index["scheme"], made.index["classes"]) == ("free", ["boredom", "zeal", "calm"])
    assert made.index["left_out"] == {"other": 4}
    labels = read_labels(made.index)
    assert (labels.basic, labels.upper) == (("low", "high", "low"), ("low", "high"))
    assert {(clip["label"], clip["basic"]) for clip in made.clips.values()} == set(upper.items())


def test_the_sheet_of_a_run_tells_own_upper_classes(tmp_path):
    upper = {"boredom": "low", "zeal": "high", "calm": "low"}
    prepared(tmp_path, ["zeal", "Boredom", "calm"], classes=(*upper,), upper=upper)
    work = tmp_path / "work"
    done = CliRunner().invoke(app, ["baseline", "lbp-svm", "--workdir", str(work)])
    assert done.exit_code == 0, done.output
    tables = {table.name: table for table in sheet_tables(find_contender("lbp-svm", work))}
    read = read_predictions(work / "runs" / "lbp-svm" / "0" / "0")
    pairs = [
        (upper[true], upper.get(reported)) for true, reported in zip(read.labels, read.predicted, strict=True)
    ]
    right = {
        name: np.mean([reported == true for true, reported in pairs if true == name])
        for name in ("low", "high")
    }
    measures = {row[0]: row[1] for row in tables["run-lbp-svm-measures"].rows}
    assert measures["UAR of upper classes"] == pytest.approx((right["low"] + right["high"]) / 2)
    assert measures["WAR of upper classes"] == pytest.approx(
        np.mean([true == reported for true, reported in pairs])
    )
    rows = tables["run-lbp-svm-confusion-upper"].rows
    assert [row[0] for row in rows] == ["low", "high"]
    assert [rows[0][2], rows[1][3]] == pytest.approx([right["low"], right["high"]])


def test_own_classes_are_shown_as_people_wrote_them(tmp_path):
    made = prepared(tmp_path, ["Zeal", "Mild boredom", "Zeal", "mild-boredom", "ZEAL", "Mild boredom"])
    assert (made.index["scheme"], made.index["classes"]) == ("free", ["Mild boredom", "Zeal"])
    assert {clip["label"] for clip in made.clips.values()} == {"Mild boredom", "Zeal"}
    images = [row for path in (made.manifests / "images").iterdir() for row in read_rows(path, ["label"])]
    assert {row["label"] for row in images} == {"Mild boredom", "Zeal"}
    assert "Mild boredom, Zeal" in (made.manifests / "README.md").read_text()
    done = CliRunner().invoke(app, ["baseline", "lbp-svm", "--full", "--workdir", str(tmp_path / "work")])
    assert done.exit_code == 0, done.output
    assert "Mild boredom" in done.stdout
    assert "mild_boredom" not in done.output


def test_votes_in_several_spellings_are_for_one_class_and_shown_as_most_wrote_it(tmp_path):
    labels = [["Zeal", "Zeal", "zeal", "ZEAL", "Calm"], *[["Zeal"] * 5, ["Calm"] * 4 + ["calm"]] * 4]
    root = write_voted(tmp_path / "in", labels)
    own = {"adapter": "fg_emotions", "name": "mine", "scheme": "found"}
    made = Prepared("default", root, tmp_path / "work", faces=WHOLE, dataset=own)
    assert made.index["classes"] == ["Calm", "Zeal"]
    assert made.clips["c000"]["label"] == "Zeal"
    assert made.clips["c000"]["agreement"] == pytest.approx(0.8)
    card = (made.manifests / "README.md").read_text()
    assert "| Zeal | 5 | 24 |" in card
    assert "| Calm | 5 | 21 |" in card


def test_a_class_of_low_confidence_is_dropped_whatever_its_capitals(tmp_path):
    root = write_voted(tmp_path / "in", [["Zeal"] * 5, ["Calm"] * 5, ["Hope"] * 4 + ["hope"]] * 2)
    table = root / "votes.csv"
    table.write_text(table.read_text().replace("Hope,0.9", "Hope,0.2"))
    own = {"adapter": "fg_emotions", "name": "mine", "scheme": "found"}
    rules = {"drop_classes_below": 0.5, "min_confidence": 0}
    made = Prepared(
        "default", root, tmp_path / "work", faces=WHOLE, dataset=own, consensus=rules, max_reject_rate=1.0
    )
    assert made.index["classes"] == ["Calm", "Zeal"]
    rejects = [
        (row["id"], row["reason"], row["label"]) for row in read_rows(made.manifests / "rejects.parquet")
    ]
    assert rejects == [("c002", "low_class", "Hope"), ("c005", "low_class", "Hope")]


def test_the_label_of_a_lost_clip_is_spelled_as_the_others(tmp_path):
    root = relabel(write_folder(tmp_path / "in", 6), ["Zeal", "zeal", "Zeal", "Calm"])
    (root / "videos" / "c001.mp4").write_bytes(b"no video")
    own = {"adapter": "fg_emotions", "name": "mine", "scheme": "found"}
    made = Prepared("default", root, tmp_path / "work", faces=WHOLE, dataset=own, max_reject_rate=1.0)
    (lost,) = read_rows(made.manifests / "rejects.parquet")
    assert (lost["id"], lost["label"]) == ("c001", "Zeal")


def test_a_capital_moves_nobody_to_another_part(tmp_path):
    first = prepared(tmp_path, ["zeal", "boredom"])
    before = {row["clip_id"]: row["split"] for row in first.clips.values()}
    again = prepared(tmp_path, ["Zeal", "boredom"])
    assert again.index["classes"] == ["boredom", "Zeal"]
    assert {row["clip_id"]: row["split"] for row in again.clips.values()} == before


def test_a_class_that_is_voted_for_and_never_settled_is_none(tmp_path):
    labels = [["rage", *["wrath"] * 4], *[[("wrath", "joy")[index % 2]] * 5 for index in range(1, 8)]]
    root = write_voted(tmp_path / "in", labels)
    own = {"adapter": "fg_emotions", "name": "mine", "scheme": "found"}
    made = Prepared("default", root, tmp_path / "work", faces=WHOLE, dataset=own)
    assert set(made.index["classes"]) == {"wrath", "joy"}


def test_votes_for_a_class_that_is_not_listed_reject_the_clip(tmp_path):
    root = write_voted(tmp_path / "in", [[label] * 5 for label in ("wrath", "joy", "fear") * 2])
    own = {"adapter": "fg_emotions", "name": "mine", "scheme": "found", "classes": ("joy", "fear")}
    made = Prepared("default", root, tmp_path / "work", faces=WHOLE, dataset=own, max_reject_rate=1.0)
    rejects = [
        (row["id"], row["reason"], row["detail"]) for row in read_rows(made.manifests / "rejects.parquet")
    ]
    assert rejects == [
        (name, "other_class", "settled as wrath, which dataset.classes does not list")
        for name in ("c000", "c003")
    ]
    assert set(made.index["classes"]) == {"joy", "fear"}


@pytest.mark.parametrize(
    "changes", [{"classes": ("zeal", "boredom")}, {"upper": {"zeal": "a", "boredom": "b"}}]
)
def test_other_classes_or_groups_are_other_results(tmp_path, changes):
    first = prepared(tmp_path, ["zeal", "boredom"], classes=("boredom", "zeal"))
    again = prepared(tmp_path, ["zeal", "boredom"], **{"classes": ("boredom", "zeal"), **changes})
    assert first.index["origin"] != again.index["origin"]
    assert again.index["classes"] == [*changes.get("classes", ("boredom", "zeal"))]
    assert {clip["basic"] for clip in again.clips.values()} == {*changes.get("upper", {"": None}).values()}
