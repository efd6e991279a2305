"""Figure 7 (right) and the attention over frames: numbers, the choice of clips, what is drawn."""

import statistics

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.errors import ManifestError
from fgbench.reports.experiments import NoRunError
from fgbench.reports.figures import attention, figure7
from fgbench.reports.rendering.drawings import png
from fgbench.reports.rendering.table import Spread
from fgbench.reports.run.clip_attention import evenly, key_frame_note
from fgbench.taxonomy import basics, leaf
from tests.support.clip_runs import KEY_FRAME, N_FRAMES, clips, write_clip_manifests, write_clip_run
from tests.support.report_folders import LABELS, write_fake_run

SEEDS = (0, 1, 2)
WEIGHT = "weight of the spatial stream"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("video")
    write_clip_manifests(work)
    for seed in SEEDS:
        write_clip_run(work, "tmsau-small", seed=seed, shares=(0.6, 0.4), lost=("anger-test-0",))
    return work


def progressive(work):
    for number in (1, 2):
        write_fake_run(
            work,
            f"msau-progressive-r{number}",
            method="MSAU-Net, progressive",
            details={"regions": number, "recipe": "msau-progressive"},
        )


def swept(folder, weight):
    """Mean accuracy on validation by counting."""
    mixed, truth = {}, {}
    for row in pq.read_table(folder / "streams.parquet").to_pylist():
        if row["part"] == "val":
            share = weight if row["stream"] == "spatial" else 1 - weight
            mixed.setdefault(row["sample_id"], np.zeros(len(LABELS)))
            mixed[row["sample_id"]] += share * np.array(row["probabilities"])
            truth[row["sample_id"]] = row["label"]
    return statistics.mean(
        statistics.mean(LABELS[mixed[name].argmax()] == label for name in mixed if truth[name] == label)
        for label in LABELS
    )


@pytest.mark.slow
def test_figure7_right_is_counted_again_from_the_streams(work):
    table = figure7.build(work).table
    assert [row[:3] for row in table.rows] == [[WEIGHT, "tmsau-small", step / 10] for step in range(11)]
    folders = [work / f"runs/tmsau-small/0/{seed}" for seed in SEEDS]
    for row in table.rows:
        cells = dict(zip(table.columns, row, strict=True))
        values = [swept(folder, cells["Value"]) for folder in folders]
        assert isinstance(cells["Mean"], Spread)
        assert (cells["Mean"].mean, cells["Mean"].sd) == pytest.approx(
            (statistics.mean(values), statistics.stdev(values))
        )
        assert [cells[f"{seed + 1}. seed"] for seed in SEEDS] == pytest.approx(values)
        assert cells["95 % from"] <= cells["Mean"].mean <= cells["95 % to"]
        assert cells["Of"] == "validation clips"


@pytest.mark.slow
def test_figure7_right_marks_the_papers_best_weight_and_ours(work):
    figure = figure7.build(work)
    (axes,) = figure.draw().axes
    assert axes.get_xlabel() == "Weight of the spatial stream"
    assert "on validation clips" in axes.get_ylabel()
    means = {row[2]: row[3].mean for row in figure.table.rows}
    top = max(means.values())
    best = min((abs(weight - 0.5), weight) for weight, mean in means.items() if mean > top - 1e-9)[1]
    (paper,) = [line for line in axes.lines if line.get_label() == "paper: highest at 0.7"]
    assert list(paper.get_xdata()) == [0.7, 0.7]
    label = f"ours, tmsau-small: {best:g} chosen on validation"
    (ours,) = [line for line in axes.lines if line.get_label() == label]
    assert (list(ours.get_xdata()), list(ours.get_ydata())) == ([best], [pytest.approx(top)])
    assert any(f"weight chosen on 66 validation clips {best:g}" in note for note in figure.table.notes)
    assert figure.table.title == f"Figure 7. Accuracy against the {WEIGHT}: mine (SYNTHETIC data)"


@pytest.mark.slow
def test_a_panel_can_stand_alone_and_says_what_the_other_needs(work, tmp_path):
    (right,) = [note for note in figure7.build(work).table.notes if note.startswith("Left panel")]
    assert "no finished run; fgbench train msau --variant msau-progressive" in right
    assert "Left panel" in figure7.build(work).draw().get_supxlabel()
    progressive(tmp_path)
    write_clip_run(tmp_path, "tmsau", keeps_streams=False)
    figure = figure7.build(tmp_path)
    (left,) = [note for note in figure.table.notes if note.startswith("Right panel")]
    assert "no complete run with streams.parquet and validation clips; fgbench train tmsau" in left
    assert "Right panel" in figure.draw().get_supxlabel()
    assert {row[0] for row in figure.table.rows} == {"number of regions"}
    assert not any("runs/tmsau/" in note for note in figure.table.notes)


@pytest.mark.slow
def test_both_panels_stand_side_by_side(tmp_path):
    progressive(tmp_path)
    write_clip_run(tmp_path, "tmsau")
    write_clip_run(tmp_path, "tmsau-small", keeps_streams=False)
    figure = figure7.build(tmp_path)
    left, right = figure.draw().axes
    assert (left.get_xlabel(), right.get_xlabel()) == ("Number of regions", "Weight of the spatial stream")
    assert left.get_position().x1 < right.get_position().x0
    assert figure.draw().get_supxlabel() == ""
    assert "number of regions (left) and the weight of the spatial stream (right)" in figure.table.title
    assert [row[0] for row in figure.table.rows] == ["number of regions"] * 2 + [WEIGHT] * 11
    (note,) = [
        n for n in figure.table.notes if n.startswith("tmsau-small: no curve, since a run has no streams")
    ]
    assert note.endswith("run it again with --force (in Python: force=True).")
    assert png(figure.draw()) == png(figure7.build(tmp_path).draw())


def test_figure7_never_looks_at_test_clips(tmp_path):
    folder = write_clip_run(tmp_path, "tmsau")
    before = figure7.build(tmp_path).table.rows
    path = folder / "streams.parquet"
    table = pq.read_table(path)
    kept = [row for row in table.to_pylist() if row["part"] == "val"]
    pq.write_table(pa.Table.from_pylist(kept, schema=table.schema), path)
    assert figure7.build(tmp_path).table.rows == before


def test_figure7_without_any_panel(tmp_path):
    write_clip_run(tmp_path, "tmsau", entries=[entry for entry in clips() if entry[1] == "test"])
    with pytest.raises(NoRunError, match="nothing to draw") as caught:
        figure7.build(tmp_path)
    assert "fgbench train tmsau" in caught.value.hint
    assert "msau-progressive" in caught.value.hint


def test_attention_shows_the_surest_recognised_clip_of_each_upper_class(work):
    table = attention.build(work).table
    rows = pq.read_table(work / "runs/tmsau-small/0/0/predictions.parquet").to_pylist()
    weights = pq.read_table(work / "runs/tmsau-small/0/0/attention.parquet").to_pylist()
    expected = []
    for upper in basics():
        there = [row for row in rows if leaf(row["label"]).basic == upper and row["predicted"] is not None]
        right = [row for row in there if row["predicted"] == row["label"]] or there
        expected.append(max(right, key=lambda row: max(row["probabilities"])))
    assert len(table.rows) == 6
    for cells, row in zip(table.rows, expected, strict=True):
        mine = [entry for entry in weights if entry["sample_id"] == row["sample_id"]]
        first, second = (max(mine, key=lambda entry: entry[block]) for block in ("first", "second"))
        assert list(cells) == [
            row["sample_id"],
            row["label"],
            row["predicted"],
            pytest.approx(max(row["probabilities"])),
            N_FRAMES,
            KEY_FRAME,
            pytest.approx(1 / N_FRAMES),
            first["frame_index"],
            pytest.approx(first["first"]),
            second["frame_index"],
            pytest.approx(second["second"]),
        ]
    assert table.title == (
        "Attention of TMSAU-Net (Ours) over the frames of test clips: mine (SYNTHETIC data)"
    )
    assert any("the clips are no average ones" in note for note in table.notes)
    assert "From runs/tmsau-small/0/0." in table.notes


@pytest.mark.slow
def test_attention_is_drawn_over_all_frames_with_faces_and_key_frame(work):
    figure = attention.build(work)
    axes = figure.draw().axes
    assert len(axes) == 12
    weights = pq.read_table(work / "runs/tmsau-small/0/0/attention.parquet").to_pylist()
    for row, strip, curves in zip(figure.table.rows, axes[::2], axes[1::2], strict=True):
        assert strip.get_title().startswith(f"{row[1]}: ")
        shown = [int(image.get_array()[0, 0, 0]) // 20 for image in strip.images]  # grey tells the frame
        assert shown == [0, 2, 4, 6, 7, 9, 11]
        assert list(curves.get_xticks()) == shown
        (frame,) = strip.patches
        assert frame.get_x() == pytest.approx(shown.index(KEY_FRAME) + 0.02)
        mine = [entry for entry in weights if entry["sample_id"] == row[0]]
        for line, block in zip(curves.lines[:2], ("first", "second"), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), np.arange(N_FRAMES))
            np.testing.assert_allclose(line.get_ydata(), [entry[block] for entry in mine])
            assert sum(line.get_ydata()) == pytest.approx(1, abs=1e-5)
        assert list(curves.lines[3].get_xdata()) == [KEY_FRAME] * 2
        assert curves.get_xlabel() == "Frame"
    assert axes[1].get_ylabel() == "Weight"
    assert png(figure.draw()) == png(attention.build(work).draw())


def test_evenly_spaced_frames():
    assert evenly(np.array([3, 5, 9, 11, 20], np.int32), 3) == [3, 9, 20]
    assert evenly(np.array([3, 5], np.int32), 7) == [3, 5]
    assert evenly(np.array([4], np.int32), 7) == [4]


def test_clip_of_one_frame_is_drawn(tmp_path, monkeypatch):
    one = [entry for entry in clips() if entry[0] == "anger-test-0"]
    write_clip_manifests(tmp_path, one)
    monkeypatch.setattr("tests.support.clip_runs.N_FRAMES", 1)
    write_clip_run(tmp_path, "tmsau", entries=one, shares=(1.0, 1.0))
    figure = attention.build(tmp_path)
    strip, curves = figure.draw().axes
    assert len(strip.images) == 1
    assert curves.lines[0].get_ydata().tolist() == [1.0]
    assert png(figure.draw()).startswith(b"\x89PNG")


def test_distance_to_the_key_frame_by_hand():
    from fgbench.runs.attention import ClipAttention

    def clip(name, second):
        weights = np.array(second, np.float32)
        frames = np.array([0, 2, 4, 6], np.int32)
        return ClipAttention(sample_id=name, part="test", frames=frames, first=weights, second=weights)

    actual = {
        "a": clip("a", [0.1, 0.2, 0.6, 0.1]),
        "b": clip("b", [0.5, 0.25, 0.25, 0.0]),
        "c": clip("c", [1, 0, 0, 0]),
    }
    note = key_frame_note(actual, {"a": 4, "b": 2})
    # a: peak on the key frame, mean distance (4+2+0+2)/4; b: 2 away, (2+0+2+4)/4; shares 0.6*4 and 0.25*4.
    assert note is not None
    assert note.startswith("Over 2 test clips with a key frame")
    assert "lies 1.0 frames from the key frame on average, a frame picked by chance 2.0;" in note
    assert "is 1.70 times that of equal weights" in note
    assert key_frame_note(actual, {}) is None


@pytest.mark.slow
def test_attention_of_the_spatial_stream_alone_is_taken_too(tmp_path):
    write_clip_manifests(tmp_path)
    write_clip_run(tmp_path, "nan", method="NAN", weight=None)
    write_clip_run(tmp_path, "tmsau", keeps_attention=False)
    assert "Attention of NAN" in attention.build(tmp_path).table.title


def test_attention_without_its_files(tmp_path):
    with pytest.raises(NoRunError, match="no finished run of TMSAU-Net"):
        attention.build(tmp_path)
    folder = write_clip_run(tmp_path, "tmsau", keeps_attention=False)
    with pytest.raises(NoRunError, match=r"no complete run of tmsau has attention\.parquet") as caught:
        attention.build(tmp_path)
    assert caught.value.hint == "run: fgbench train tmsau --force"
    write_clip_run(tmp_path, "tmsau")
    with pytest.raises(ManifestError, match=r"clips\.parquet is missing"):
        attention.build(tmp_path)
    write_clip_manifests(tmp_path, clips()[:8])
    with pytest.raises(ManifestError, match="faces of the run are not in the manifests"):
        attention.build(tmp_path).draw()
    (folder / "attention.parquet").write_bytes(b"PAR1")
    with pytest.raises(ManifestError, match=r"attention\.parquet is damaged"):
        attention.build(tmp_path)


@pytest.mark.slow
def test_attention_of_other_clips_is_refused(tmp_path):
    write_clip_manifests(tmp_path)
    folder = write_clip_run(tmp_path, "tmsau")
    path = folder / "attention.parquet"
    table = pq.read_table(path)
    rows = [{**row, "sample_id": row["sample_id"].replace("anger", "x")} for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    with pytest.raises(ManifestError, match="2 test clips that the predictions do not have"):
        attention.build(tmp_path)


def test_no_test_clip_with_attention(tmp_path):
    write_clip_manifests(tmp_path)
    lost = tuple(name for name, part, *_ in clips() if part == "test")
    write_clip_run(tmp_path, "tmsau", lost=lost)
    with pytest.raises(NoRunError, match="no test clip with attention"):
        attention.build(tmp_path)
