"""The sheet of a run: its tables, pictures and files."""

import numpy as np
import pyarrow as pa
import pytest

from fgbench import records, storage
from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.rendering.table import Spread
from fgbench.reports.run.figures import run_figures
from fgbench.reports.run.files import printed_tables, write_sheet
from fgbench.reports.run.sheet import sheet_tables
from fgbench.runs.predictions import Predictions, read_predictions
from fgbench.runs.results import write_run
from tests.support.report_folders import LABELS, samples, write_fake_run, write_manifests


def annotate(work):
    """Votes for half of the clips, in ``clips.parquet``."""
    path = work / "manifests" / "clips.parquet"
    rows = list(storage.read_rows(path))
    for index, row in enumerate(rows):
        row["agreement"] = [None, 0.6, 1.0][index % 3]
        row["confidence"] = 0.9
    storage.write_table(path, pa.Table.from_pylist(rows, schema=records.schema("clips")))


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("sheet")
    write_manifests(work, samples())
    annotate(work)
    for seed in (0, 1):
        write_fake_run(work, "msau", method="MSAU-Net (Ours)", seed=seed)
    return work


@pytest.fixture(scope="module")
def tables(work):
    return {
        table.name.removeprefix("run-msau-"): table for table in sheet_tables(find_contender("msau", work))
    }


@pytest.mark.slow
def test_a_sheet_has_every_part(tables):
    assert list(tables) == [
        "measures",
        "classes",
        "reliability",
        "agreement",
        "confidence",
        "confusion-upper",
        "confusion-anger",
        "confusion-fear",
        "confusion-happiness",
        "confusion-love",
        "confusion-sadness",
        "confusion-surprise",
        "confusion",
    ]
    assert all("(SYNTHETIC data)" in table.title for table in tables.values())


def test_seeds_give_means_and_are_pooled_in_confusions(work, tables):
    measures = {row[0]: row[1] for row in tables["measures"].rows}
    assert sum("upper" in name or "valence" in name or "tree" in name for name in measures) == 7
    assert all(isinstance(value, Spread) for value in measures.values())
    runs = [read_predictions(work / f"runs/msau/0/{seed}") for seed in (0, 1)]
    for true, *counts in tables["confusion"].rows:
        taken = [
            predicted
            for run in runs
            for label, predicted in zip(run.labels, run.predicted, strict=True)
            if label == true
        ]
        assert counts == [taken.count(label) for label in (*LABELS, None)]
    assert any("Mean ± standard deviation over 2 seeds" in note for note in tables["measures"].notes)


def test_shares_of_upper_classes_add_up(tables):
    for name, table in tables.items():
        if name.startswith("confusion-"):
            for row in table.rows:
                assert sum(row[2:]) == pytest.approx(1.0)
    assert [row[1] for row in tables["confusion-love"].rows] == [4, 4]


def test_agreement_is_counted_by_hand(work, tables):
    shares = {
        row["clip_id"]: row["agreement"] for row in storage.read_rows(work / "manifests" / "clips.parquet")
    }
    runs = [read_predictions(work / f"runs/msau/0/{seed}") for seed in (0, 1)]
    hits = [
        predicted == label
        for run in runs
        for clip, label, predicted in zip(run.clip_ids, run.labels, run.predicted, strict=True)
        if shares[clip] == 1.0
    ]
    rows = {row[0]: row for row in tables["agreement"].rows}
    assert list(rows) == ["60%", "100%", "no votes"]
    assert rows["100%"][2:5:2] == [len(hits), pytest.approx(np.mean(hits))]


def test_reliability_diagram_shows_the_bins(work, tables):
    one = find_contender("msau", work)
    diagram, _ = run_figures(one)
    assert [list(row) for row in diagram.table.rows] == [list(row) for row in tables["reliability"].rows]
    drawing = diagram.draw()
    upper, lower = drawing.axes
    known = [row for row in diagram.table.rows if row[2]]
    assert [bar.get_height() for bar in lower.patches] == [row[2] for row in known]
    assert [bar.get_height() for bar in upper.patches[::2]] == pytest.approx([row[4] for row in known])
    assert upper.get_ylabel() == "Accuracy (share of samples)"
    assert lower.get_xlabel() == "Confidence (probability of the class predicted)"
    assert "(SYNTHETIC data)" in drawing.get_suptitle()


@pytest.mark.slow
def test_confusion_picture_shows_the_shares(work, tables):
    _, figure = run_figures(find_contender("msau", work))
    axes = figure.draw().axes[0]
    shown = axes.images[0].get_array()
    counts = np.array([row[1:] for row in tables["confusion"].rows], float)
    np.testing.assert_allclose(shown, counts / counts.sum(axis=1, keepdims=True))
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(LABELS)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Predicted class", "True class")
    written = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axes.texts}
    assert written
    for position, text in written.items():
        assert text == f"{100 * shown[position]:.0f}"


@pytest.mark.slow
def test_files(work, tmp_path):
    one = find_contender("msau/0/1", work)
    paths = write_sheet(one, tmp_path, ["md", "html", "csv", "svg"])
    names = [path.name for path in paths]
    assert names[:3] == ["run-msau-0-1.md", "run-msau-0-1.html", "run-msau-0-1-measures.csv"]
    assert names[-2:] == ["run-msau-0-1-reliability-diagram.svg", "run-msau-0-1-confusion-matrix.svg"]
    assert len(names) == 2 + 13 + 2
    assert (tmp_path / "run-msau-0-1.html").read_text(encoding="utf-8").count("<img ") == 2
    assert len(printed_tables(one)) == 12


def test_a_part_of_the_33_has_no_table_of_an_upper_class_without_classes(tmp_path):
    write_run(
        tmp_path,
        Predictions(
            classes=("wrath", "disgust", "gloom"),
            sample_ids=["a", "b", "c"],
            clip_ids=["a", "b", "c"],
            subject_ids=["s"] * 3,
            labels=["wrath", "disgust", "gloom"],
            predicted=["disgust", "disgust", "gloom"],
            probabilities=np.array([[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], np.float32),
        ),
        experiment="part",
        fold="0",
        seed=0,
        config={},
        manifest_digest="0",
        device="cpu",
        details={"dataset": "mine", "synthetic": False},
    )
    actual = {table.name: table for table in sheet_tables(find_contender("part", tmp_path))}
    assert [name for name in actual if "-confusion-" in name] == [
        "run-part-confusion-upper",
        "run-part-confusion-anger",
        "run-part-confusion-sadness",
    ]
    assert actual["run-part-confusion-anger"].rows[0][1:4] == [1, 0.0, 1.0]


def test_other_label_sets_and_absent_manifests(tmp_path):
    """Six classes, one without samples, one person, nothing predicted for a class: no tree, no annotators."""
    classes = ("anger", "fear", "joy")
    write_run(
        tmp_path,
        Predictions(
            classes=classes,
            sample_ids=["a", "b", "c"],
            clip_ids=["a", "b", "c"],
            subject_ids=["s"] * 3,
            labels=["anger", "anger", "fear"],
            predicted=["anger", None, "anger"],
            probabilities=np.array([[0.8, 0.1, 0.1]] * 3, np.float32),
        ),
        experiment="six",
        fold="0",
        seed=0,
        config={},
        manifest_digest="0",
        device="cpu",
        details={"dataset": "mine", "synthetic": False},
    )
    one = find_contender("six", tmp_path)
    assert (one.label_set, one.source) == ("3 classes", "video")
    actual = {table.name: table for table in sheet_tables(one)}
    assert list(actual) == ["run-six-measures", "run-six-classes", "run-six-reliability", "run-six-confusion"]
    measures = {row[0]: row[1:] for row in actual["run-six-measures"].rows}
    assert measures["UAR"] == [0.25, None, None]
    assert [name for name in measures if "upper" in name or "valence" in name or "tree" in name] == []
    assert measures["WAR, detected subset"][0] == 0.5
    assert "Without prediction, counted as wrong: not told 1." in actual["run-six-measures"].notes
    assert any("No intervals" in note for note in actual["run-six-measures"].notes)
    assert actual["run-six-classes"].rows[2] == ["joy", 0, None, None, None]
    for figure in run_figures(one):
        assert figure.draw().axes
