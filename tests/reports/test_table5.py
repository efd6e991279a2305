"""Table V: every number counted again from the files of the runs with plain Python; gaps; settings."""

import statistics

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.errors import ManifestError
from fgbench.evaluation.cluster_counts import count_clusters
from fgbench.evaluation.significance import seeds_interval
from fgbench.reports.experiments import NoRunError
from fgbench.reports.rendering.render import markdown
from fgbench.reports.rendering.table import Spread
from fgbench.reports.tables import table5
from tests.support.clip_runs import clips, write_clip_run
from tests.support.report_folders import LABELS, write_fake_run

FLOW, VGG, C3D = "Optical Flow", "VGG16-LSTM", "C3D-LSTM"
LOST = ("anger-test-0", "terror-test-1", "pride-val-0")
SEEDS = (0, 1, 2)
ALONE = {"temporal": "temporal stream alone (ours)", "spatial": "spatial stream alone (ours)"}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Small runs with flow (three seeds; clips without a face) and VGG16, one of the paper's settings."""
    work = tmp_path_factory.mktemp("table5")
    for seed in SEEDS:
        write_clip_run(work, "tmsau-small", seed=seed, lost=LOST)
    write_clip_run(
        work, "tmsau-small-vgg-lstm", method="TMSAU-Net, VGG16-LSTM", temporal="vgg-lstm", weight=0.7
    )
    write_clip_run(work, "tmsau-c3d-lstm", method="TMSAU-Net, C3D-LSTM", shares=(0.8, 0.2))
    write_clip_run(work, "nan-small", method="NAN", weight=None)
    return work


@pytest.fixture(scope="module")
def table(work):
    return table5.build(work)


def cells(table, name):
    """``(scores of, number)`` to backbone to cell, of one data set and recipe."""
    return {
        (row[1], row[2]): dict(zip((FLOW, VGG, C3D), row[3:], strict=True))
        for row in table.rows
        if row[0] == name
    }


def uar(truth, predicted):
    """Mean accuracy of the classes by counting; both by id."""
    return statistics.mean(
        statistics.mean(predicted.get(name) == label for name, one in truth.items() if one == label)
        for label in LABELS
    )


def predictions_of(folder):
    rows = pq.read_table(folder / "predictions.parquet").to_pylist()
    return {row["sample_id"]: row for row in rows}


def alone(folder, stream):
    """Id to class of the test clips by one stream, from its file."""
    rows = pq.read_table(folder / "streams.parquet").to_pylist()
    return {
        row["sample_id"]: LABELS[max(range(len(LABELS)), key=lambda position: row["probabilities"][position])]
        for row in rows
        if row["stream"] == stream and row["part"] == "test"
    }


def interval(folders, predictions):
    """95 % interval by subject and seed over some runs; ``predictions`` are id to class, one per run."""
    number = {None: -1, **{label: index for index, label in enumerate(LABELS)}}
    seeds = []
    for folder, one in zip(folders, predictions, strict=True):
        rows = predictions_of(folder)
        seeds.append(
            count_clusters(
                [number[row["label"]] for row in rows.values()],
                [number[one.get(name)] for name in rows],
                clusters=[row["subject_id"] for row in rows.values()],
                n_classes=len(LABELS),
            )
        )
    return seeds_interval(seeds, metric="uar")


@pytest.mark.slow
def test_the_papers_rows_come_first(table):
    assert [row for row in table.rows if row[2] == "paper"] == [
        ["AFEW 7.0", "both streams", "paper", 0.476, 0.501, 0.483],
        ["FG-Emotions", "both streams", "paper", 0.659, 0.694, 0.655],
    ]
    assert table.title == "Table V. Mean accuracy with each temporal backbone: mine (SYNTHETIC data)"
    assert list(table.columns) == ["Data set, recipe", "Scores of", "Number", FLOW, VGG, C3D]
    assert list(dict.fromkeys(row[0] for row in table.rows)) == [
        "AFEW 7.0",
        "FG-Emotions",
        "mine, tmsau",
        "mine, tmsau-small",
    ]


@pytest.mark.slow
def test_both_streams_are_counted_again_from_the_predictions(work, table):
    folders = [work / f"runs/tmsau-small/0/{seed}" for seed in SEEDS]
    actual = [{name: row["predicted"] for name, row in predictions_of(folder).items()} for folder in folders]
    truth = {name: row["label"] for name, row in predictions_of(folders[0]).items()}
    assert len(truth) == 66
    values = [uar(truth, predicted) for predicted in actual]
    ours = {
        number: row[FLOW] for (of, number), row in cells(table, "mine, tmsau-small").items() if "both" in of
    }
    assert isinstance(ours["mean"], Spread)
    assert (ours["mean"].mean, ours["mean"].sd) == pytest.approx(
        (statistics.mean(values), statistics.stdev(values))
    )
    expected = interval(folders, actual)
    assert (ours["95 % from"], ours["95 % to"]) == pytest.approx((expected.low, expected.high))
    assert (ours["clusters"], ours["test clips"], ours["seeds"]) == (8, 66, 3)
    assert ours["weight of the spatial stream"] == 0.5
    assert ours["difference from the paper's FG-Emotions"] == pytest.approx(statistics.mean(values) - 0.659)


@pytest.mark.parametrize("stream", ["temporal", "spatial"])
def test_a_stream_alone_is_counted_again_from_its_file(work, table, stream):
    folders = [work / f"runs/tmsau-small/0/{seed}" for seed in SEEDS]
    truth = {name: row["label"] for name, row in predictions_of(folders[0]).items()}
    actual = [alone(folder, stream) for folder in folders]
    assert all("anger-test-0" not in predicted for predicted in actual)
    values = [uar(truth, predicted) for predicted in actual]
    rows = cells(table, "mine, tmsau-small")
    ours = {number: rows[ALONE[stream], number][FLOW] for number in ("mean", "95 % from", "95 % to")}
    assert (ours["mean"].mean, ours["mean"].sd) == pytest.approx(
        (statistics.mean(values), statistics.stdev(values))
    )
    expected = interval(folders, actual)
    assert (ours["95 % from"], ours["95 % to"]) == pytest.approx((expected.low, expected.high))
    vgg = work / "runs/tmsau-small-vgg-lstm/0/0"
    assert rows[ALONE[stream], "mean"][VGG] == pytest.approx(uar(truth, alone(vgg, stream)))


def test_runs_of_other_settings_stand_apart(table):
    small, paper = cells(table, "mine, tmsau-small"), cells(table, "mine, tmsau")
    assert small["both streams", "mean"][C3D] is None
    assert small["both streams", "weight of the spatial stream"] == {FLOW: 0.5, VGG: 0.7, C3D: None}
    assert [paper["both streams", "mean"][name] is None for name in (FLOW, VGG, C3D)] == [True, True, False]
    assert "within a recipe, not from one recipe to another" in " ".join(table.notes)


def test_missing_backbones_name_their_commands(table):
    assert (
        "mine, tmsau: blank for want of a run with the same settings: Optical Flow (fgbench train tmsau "
        "--temporal flow); VGG16-LSTM (fgbench train tmsau --temporal vgg-lstm)." in table.notes
    )
    assert (
        "mine, tmsau-small: blank for want of a run with the same settings: C3D-LSTM (fgbench train tmsau "
        "--temporal c3d-lstm)." in table.notes
    )
    assert any("in the paper's order (1 pair)" in note or "in 1 of 1 pairs" in note for note in table.notes)
    assert any("Intervals of 8 clusters, fewer than 30, are a rough guide" in note for note in table.notes)
    assert "TMSAU-Net, C3D-LSTM: from runs/tmsau-c3d-lstm/0/0." in table.notes


def test_a_run_without_its_streams_has_blank_rows(tmp_path):
    write_clip_run(tmp_path, "tmsau", keeps_streams=False)
    table = table5.build(tmp_path)
    rows = cells(table, "mine, tmsau")
    assert rows["both streams", "mean"][FLOW] is not None
    assert rows[ALONE["spatial"], "mean"][FLOW] is None
    assert any(
        "streams of Optical Flow are blank, since a run has no streams.parquet" in n
        and "(in Python: force=True)" in n
        for n in table.notes
    )


@pytest.mark.slow
def test_recipes_of_ones_own_stand_by_themselves(tmp_path):
    write_clip_run(tmp_path, "mine")
    write_clip_run(tmp_path, "tmsau")
    write_clip_run(tmp_path, "tmsau-again", recipe="tmsau")
    names = list(dict.fromkeys(row[0] for row in table5.build(tmp_path).rows))
    assert names[2:] == ["mine, mine", "mine, tmsau", "mine, tmsau-again (further)"]


def test_a_missing_fold_leaves_the_cells_blank(tmp_path):
    write_clip_run(tmp_path, "tmsau", seed=0)
    write_clip_run(tmp_path, "tmsau", seed=1)
    write_clip_run(tmp_path, "tmsau", seed=0, fold="1")
    table = table5.build(tmp_path)
    assert {cell for row in table.rows[2:] for cell in row[3:]} == {None}
    assert any("blank, since runs/tmsau/1/1 is missing" in note for note in table.notes)


def test_other_test_clips_are_told(tmp_path):
    write_clip_run(tmp_path, "tmsau")
    write_clip_run(
        tmp_path,
        "tmsau-vgg-lstm",
        method="TMSAU-Net, VGG16-LSTM",
        entries=[e for e in clips() if e[3] != "s0"],
    )
    notes = " ".join(table5.build(tmp_path).notes)
    assert "tested on different clips (Optical Flow: 66; VGG16-LSTM: " in notes


def test_without_runs_there_is_a_command(tmp_path):
    write_fake_run(tmp_path, "msau", method="MSAU-Net (Ours)")
    with pytest.raises(NoRunError, match="no finished run of TMSAU-Net") as caught:
        table5.build(tmp_path)
    assert "fgbench train tmsau --temporal c3d-lstm" in caught.value.hint


def change(path, column, value, *, row=0):
    actual = pq.read_table(path)
    rows = actual.to_pylist()
    rows[row][column] = value
    pq.write_table(pa.Table.from_pylist(rows, schema=actual.schema), path)


def test_streams_of_other_predictions_are_refused(tmp_path):
    folder = write_clip_run(tmp_path, "tmsau")
    path = folder / "streams.parquet"
    whole = path.read_bytes()
    first = next(
        number for number, row in enumerate(pq.read_table(path).to_pylist()) if row["part"] == "test"
    )
    sure = [1.0] + [0.0] * (len(LABELS) - 1)
    for column, value, message in (
        ("probabilities", sure, "does not give the predictions with weight 0.5"),
        ("sample_id", "unknown", "has other test clips or classes"),
    ):
        path.write_bytes(whole)
        change(path, column, value, row=first)
        with pytest.raises(ManifestError, match=message) as caught:
            table5.build(tmp_path)
        assert "--force" in caught.value.hint
    path.write_bytes(whole[:200])
    with pytest.raises(ManifestError, match=r"streams\.parquet is damaged"):
        table5.build(tmp_path)


def test_a_run_has_to_state_its_weight(tmp_path):
    write_clip_run(tmp_path, "tmsau", fusion_weight=None)
    with pytest.raises(ManifestError, match="has fusion_weight = None, expected 0 to 1"):
        table5.build(tmp_path)


def test_golden_markdown(tmp_path):
    write_clip_run(tmp_path, "tmsau", synthetic=False)
    lines = markdown(table5.build(tmp_path)).splitlines()
    assert lines[:6] == [
        "**Table V. Mean accuracy with each temporal backbone: mine**",
        "",
        "| Data set, recipe | Scores of | Number | Optical Flow | VGG16-LSTM | C3D-LSTM |",
        "| :--- | :--- | :--- | ---: | ---: | ---: |",
        "| AFEW 7.0 | both streams | paper | 0.476 | 0.501 | 0.483 |",
        "| FG-Emotions | both streams | paper | 0.659 | 0.694 | 0.655 |",
    ]
    names = [
        tuple(cell.strip() for cell in line.split("|")[1:4]) for line in lines[6:] if line.startswith("|")
    ]
    span = ["mean", "95 % from", "95 % to"]
    rest = ["clusters", "test clips", "seeds", "weight of the spatial stream"]
    difference = "difference from the paper's FG-Emotions"
    assert names == [
        *[("mine, tmsau", "both streams", number) for number in (*span, *rest, difference)],
        *[("mine, tmsau", "temporal stream alone (ours)", number) for number in span],
        *[("mine, tmsau", "spatial stream alone (ours)", number) for number in span],
    ]
    assert "| mine, tmsau | both streams | test clips | 66 |  |  |" in lines
