"""The weight of the streams: what Table II says of it, and which validation clips choose it."""

import statistics

import pyarrow.parquet as pq
import pytest

from fgbench.errors import ManifestError
from fgbench.reports.experiments import find_experiments
from fgbench.reports.paper.fusions import fused_accuracies, validate
from fgbench.reports.paper.methods import TMSAU
from fgbench.reports.tables import table2
from tests.support.clip_runs import clips, write_clip_manifests, write_clip_run
from tests.support.report_folders import LABELS

WEIGHTS = [step / 10 for step in range(11)]
SEEDS = (0, 1)


def counted(folder, part, weight, *, lost=()):
    """Mean accuracy of the classes on one part by plain counting; lost clips are wrong."""
    mixed = {}
    for row in pq.read_table(folder / "streams.parquet").to_pylist():
        if row["part"] == part:
            share = weight if row["stream"] == "spatial" else 1 - weight
            sums = mixed.setdefault(row["sample_id"], [0.0] * len(LABELS))
            mixed[row["sample_id"]] = [
                one + share * other for one, other in zip(sums, row["probabilities"], strict=True)
            ]
    right = {label: [] for label in LABELS}
    for name, actual, label, _ in clips():
        if actual == part:
            sums = mixed.get(name)
            assert (sums is None) == (name in lost)
            right[label].append(sums is not None and LABELS[sums.index(max(sums))] == label)
    return statistics.mean(statistics.mean(values) for values in right.values())


def chosen(folders, *, lost=()):
    """The weight with the highest mean accuracy on validation, nearest to 0.5, then the smaller."""
    means = {
        weight: statistics.mean(counted(folder, "val", weight, lost=lost) for folder in folders)
        for weight in WEIGHTS
    }
    top = max(means.values())
    best = [weight for weight in WEIGHTS if means[weight] > top - 1e-9]
    return min(best, key=lambda weight: (round(abs(weight - 0.5), 6), weight)), means


def note_of(work, name):
    (note,) = [note for note in table2.build(work).notes if note.startswith(f"{name}: reported at")]
    return note


@pytest.mark.slow
def test_table2_is_reported_at_half_and_names_the_tuned_weight(tmp_path):
    write_clip_manifests(tmp_path)
    folders = [write_clip_run(tmp_path, "tmsau", seed=seed, shares=(0.6, 0.3)) for seed in SEEDS]
    best, _ = chosen(folders)
    values = [counted(folder, "test", best) for folder in folders]
    note = note_of(tmp_path, "TMSAU-Net (Ours)")
    assert note.startswith(
        "TMSAU-Net (Ours): reported at weight 0.5 of the spatial stream, as in the paper; the weight tuned "
        f"on validation (66 clips, none of test) is {best:g} and gives {statistics.mean(values):.3f} ± "
        f"{statistics.stdev(values):.3f} on test (95 % "
    )
    row = next(
        row for row in table2.build(tmp_path).rows if row[1:3] == ["TMSAU-Net (Ours)", "this data set"]
    )
    half = [counted(folder, "test", 0.5) for folder in folders]
    assert row[3].mean == pytest.approx(statistics.mean(half))


@pytest.mark.slow
def test_another_weight_is_named_and_the_papers_given(tmp_path):
    write_clip_manifests(tmp_path)
    folder = write_clip_run(tmp_path, "plain-tsnet", method="Plain TSNet", weight=0.8)
    note = note_of(tmp_path, "Plain TSNet")
    assert "reported at weight 0.8 of the spatial stream; the paper's 0.5 gives " in note
    assert f"the paper's 0.5 gives {counted(folder, 'test', 0.5):.3f} on test" in note


def test_runs_without_two_streams_have_no_such_note(tmp_path):
    write_clip_run(tmp_path, "nan", method="NAN", weight=None)
    write_clip_run(tmp_path, "tmsau", keeps_streams=False)
    assert not any("reported at" in note for note in table2.build(tmp_path).notes)


def test_weight_one_is_the_spatial_stream_and_zero_the_temporal_one(tmp_path):
    folder = write_clip_run(tmp_path, "tmsau")
    (experiment,) = find_experiments(tmp_path, [TMSAU])
    streams = {"spatial": {}, "temporal": {}}
    for row in pq.read_table(folder / "streams.parquet").to_pylist():
        if row["part"] == "test":
            actual = LABELS[row["probabilities"].index(max(row["probabilities"]))]
            streams[row["stream"]].setdefault(row["label"], []).append(actual == row["label"])
    for weight, stream in ((1.0, "spatial"), (0.0, "temporal")):
        expected = {label: statistics.mean(values) for label, values in streams[stream].items()}
        assert dict(fused_accuracies(experiment, weight).recalls) == pytest.approx(expected)


@pytest.mark.slow
def test_every_validation_clip_counts(tmp_path):
    lost = ("anger-val-0", "worry-val-0", "pride-val-1")
    write_clip_manifests(tmp_path)
    folder = write_clip_run(tmp_path, "tmsau", lost=lost)
    (experiment,) = find_experiments(tmp_path, [TMSAU])
    validated = validate(tmp_path, experiment)
    best, means = chosen([folder], lost=lost)
    assert (validated.n_samples, validated.best, validated.notes) == (66, best, [])
    assert {weight: ours.mean for weight, ours, _ in validated.points} == pytest.approx(means)


def test_clips_that_other_manifests_hide_are_told(tmp_path):
    write_clip_run(tmp_path, "tmsau", lost=("anger-val-0",))
    (experiment,) = find_experiments(tmp_path, [TMSAU])
    validated = validate(tmp_path, experiment)
    assert validated.n_samples == 65
    assert "validation clips without a prediction are not counted" in validated.notes[0]
    assert "are not counted" in note_of(tmp_path, "TMSAU-Net (Ours)")


@pytest.mark.slow
def test_validation_clips_have_to_be_in_the_manifests(tmp_path):
    write_clip_manifests(tmp_path, clips()[4:])
    write_clip_run(tmp_path, "tmsau")
    (experiment,) = find_experiments(tmp_path, [TMSAU])
    with pytest.raises(ManifestError, match="2 validation clips that the manifests do not have"):
        validate(tmp_path, experiment)


def test_without_validation_no_weight_is_chosen(tmp_path):
    write_clip_run(tmp_path, "tmsau", entries=[entry for entry in clips() if entry[1] == "test"])
    note = note_of(tmp_path, "TMSAU-Net (Ours)")
    assert note.endswith("as in the paper; no weight is chosen for want of validation clips.")


def test_validation_clips_that_another_fold_tests_do_not_choose(tmp_path):
    swapped = [(name, "test" if part == "val" else "val", *rest) for name, part, *rest in clips()]
    write_clip_run(tmp_path, "tmsau", fold="0")
    write_clip_run(tmp_path, "tmsau", fold="1", entries=swapped)
    note = note_of(tmp_path, "TMSAU-Net (Ours)")
    assert "no weight is chosen, since validation clips of one fold are test clips of another" in note
