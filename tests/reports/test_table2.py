"""Table II: every number counted again from the predictions with plain Python; gaps; the paper's values."""

import statistics

import pyarrow.parquet as pq
import pytest

from fgbench.errors import ManifestError
from fgbench.evaluation.cluster_counts import count_clusters
from fgbench.evaluation.significance import seeds_interval
from fgbench.reports.experiments import NoRunError
from fgbench.reports.rendering.table import Spread
from fgbench.reports.tables import table2
from fgbench.taxonomy import leaf
from tests.support.report_folders import LABELS, samples, write_fake_run

SUMMARY = ["Mean", "95 % from", "95 % to", "Clusters", "Test samples", "Seeds"]
SEEDS = (0, 1, 2)


def counted(folders):
    """Class to accuracy over some runs together, by counting."""
    hits, total = dict.fromkeys(LABELS, 0), dict.fromkeys(LABELS, 0)
    for folder in folders:
        for row in pq.read_table(folder / "predictions.parquet").to_pylist():
            total[row["label"]] += 1
            hits[row["label"]] += row["predicted"] == row["label"]
    return {label: hits[label] / total[label] for label in LABELS}


def lines(table):
    """``(method, of)`` to column to cell."""
    return {(row[1], row[2]): dict(zip(table.columns, row, strict=True)) for row in table.rows}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Two experiments of MSAU-Net (one with seeds), one of AU+CNN, LBP+SVM that does not state its method."""
    work = tmp_path_factory.mktemp("table2")
    for seed in SEEDS:
        write_fake_run(work, "msau-small", method="MSAU-Net (Ours)", seed=seed, share=0.4)
    write_fake_run(work, "msau-tuned", method="MSAU-Net (Ours)", share=0.95)
    write_fake_run(work, "au-cnn-small", method="AU+CNN", share=0.7)
    write_fake_run(work, "lbp-svm", method=None, share=0.1)
    (work / "runs" / "au-small" / "0" / "0").mkdir(parents=True)  # pretraining: not a run of Table II
    return work


@pytest.fixture(scope="module")
def table(work):
    return table2.build(work)


@pytest.mark.slow
def test_rows_stand_in_the_papers_order(table):
    assert list(dict.fromkeys((row[0], row[1]) for row in table.rows)) == [
        ("image", "LBP+SVM"),
        ("image", "Plain CNN"),
        ("image", "InsightFace"),
        ("image", "AU+CNN"),
        ("image", "AU+Z-CNN"),
        ("image", "MSAU-Net (Ours), msau-small"),
        ("image", "MSAU-Net (Ours), msau-tuned"),
        ("video", "DenseTraj"),
        ("video", "Plain TSNet"),
        ("video", "NAN"),
        ("video", "TMSAU-Net (Ours)"),
    ]
    assert table.title == "Table II. Accuracy per class: mine (SYNTHETIC data)"
    assert set(table.columns) == {"Source", "Method", "Of", *SUMMARY, *LABELS}


@pytest.mark.parametrize(
    ("method", "experiment"),
    [("LBP+SVM", "lbp-svm"), ("AU+CNN", "au-cnn-small"), ("MSAU-Net (Ours), msau-tuned", "msau-tuned")],
)
def test_accuracies_of_one_seed_are_those_counted(work, table, method, experiment):
    expected = counted([work / "runs" / experiment / "0" / "0"])
    rows = lines(table)[method, "this data set"]
    assert {label: rows[label] for label in LABELS} == pytest.approx(expected)
    assert rows["Mean"] == pytest.approx(statistics.mean(expected.values()))
    assert (rows["Test samples"], rows["Seeds"], rows["Clusters"]) == (132, 1, 8)


def test_several_seeds_give_mean_and_standard_deviation(work, table):
    per_seed = [counted([work / "runs" / "msau-small" / "0" / str(seed)]) for seed in SEEDS]
    rows = lines(table)["MSAU-Net (Ours), msau-small", "this data set"]
    for label in LABELS:
        values = [accuracies[label] for accuracies in per_seed]
        assert isinstance(rows[label], Spread)
        assert rows[label].mean == pytest.approx(statistics.mean(values))
        assert rows[label].sd == pytest.approx(statistics.stdev(values))
    means = [statistics.mean(accuracies.values()) for accuracies in per_seed]
    assert rows["Mean"].mean == pytest.approx(statistics.mean(means))
    assert rows["Mean"].sd == pytest.approx(statistics.stdev(means))
    assert rows["Seeds"] == 3


def test_interval_is_of_other_subjects_and_seeds(work, table):
    number = {None: -1, **{label: index for index, label in enumerate(LABELS)}}
    counts = []
    for seed in SEEDS:
        rows = pq.read_table(work / f"runs/msau-small/0/{seed}/predictions.parquet").to_pylist()
        counts.append(
            count_clusters(
                [number[row["label"]] for row in rows],
                [number[row["predicted"]] for row in rows],
                clusters=[row["subject_id"] for row in rows],
                n_classes=33,
            )
        )
    interval = seeds_interval(counts, metric="uar")
    actual = lines(table)["MSAU-Net (Ours), msau-small", "this data set"]
    assert (actual["95 % from"], actual["95 % to"]) == pytest.approx((interval.low, interval.high))
    assert any("Intervals of 8 clusters, fewer than 30, are a rough guide" in note for note in table.notes)


def test_papers_values_and_differences(table):
    rows = lines(table)
    msau = rows["MSAU-Net (Ours), msau-tuned", "paper"]
    assert (msau["anger"], msau["suffering"], msau["nervousness"]) == (0.735, 0.78, 0.678)
    assert rows["DenseTraj", "paper"]["disgust"] == 0.412
    means = {method: round(cells["Mean"], 3) for (method, of), cells in rows.items() if of == "paper"}
    assert means["LBP+SVM"] == 0.635
    assert means["TMSAU-Net (Ours)"] == 0.659  # as in Table V
    for (method, of), cells in rows.items():
        if of == "difference":
            ours, theirs = rows[method, "this data set"], rows[method, "paper"]
            for column in ("Mean", *LABELS):
                mine = ours[column].mean if isinstance(ours[column], Spread) else ours[column]
                assert cells[column] == pytest.approx(mine - theirs[column])
            assert {cells[column] for column in SUMMARY[1:]} == {None}


def test_method_without_run_is_blank_and_says_what_to_run(table):
    rows = lines(table)
    assert {value for column, value in rows["Plain CNN", "this data set"].items() if column in LABELS} == {
        None
    }
    assert ("Plain CNN", "difference") not in rows
    (note,) = [note for note in table.notes if note.startswith("Blank for want of a run")]
    assert "Plain CNN (fgbench baseline plain-cnn)" in note
    assert "DenseTraj (fgbench baseline dense-traj-svm)" in note
    assert "AU+CNN" not in note


def test_notes_name_the_runs_and_the_order(table):
    assert "AU+CNN: from runs/au-cnn-small/0/0." in table.notes
    assert (
        "MSAU-Net (Ours): from runs/msau-small/0/0, runs/msau-small/0/1, runs/msau-small/0/2, "
        "runs/msau-tuned/0/0." in table.notes
    )
    (note,) = [note for note in table.notes if "order of the means" in note]
    # AU+CNN is compared with msau-small, of the same settings, and not with msau-tuned.
    assert "differs from the paper's in 1 of 4 pairs: AU+CNN" in note
    assert "above MSAU-Net (Ours), msau-small" in note


def test_paper_is_mended_openly(table):
    (note,) = [note for note in table.notes if "Mended print" in note]
    assert 'Plain TSNet, remorse: "568" as 0.568' in note
    assert note.count('" as ') == 4


@pytest.mark.slow
def test_methods_that_the_paper_lacks_follow_with_what_was_measured(tmp_path, table):
    for name, method, kind in (("mine", "Mine", "image"), ("clips", "Clips", "video")):
        write_fake_run(tmp_path, name, method=method, details={"kind": kind}, share=0.6)
    write_fake_run(tmp_path, "msau-progressive", method="MSAU-Net, progressive")
    write_fake_run(tmp_path, "mine-2", method="Mine", details={"kind": "image"})
    write_fake_run(tmp_path, "lbp-svm", method=None, share=0.1)
    built = table2.build(tmp_path)
    rows = lines(built)
    assert [row[:3] for row in built.rows[-3:]] == [
        ["video", "Clips", "this data set"],
        ["image", "Mine, mine", "this data set"],
        ["image", "Mine, mine-2", "this data set"],
    ]
    expected = counted([tmp_path / "runs" / "mine" / "0" / "0"])
    row = rows["Mine, mine", "this data set"]
    assert {label: row[label] for label in LABELS} == pytest.approx(expected)
    assert row["Mean"] == pytest.approx(statistics.fmean(expected.values()))
    assert "No methods of the paper: Clips, Mine, mine, Mine, mine-2." in built.notes
    assert not any("progressive" in str(cell) for row in built.rows for cell in row)
    assert not any("No methods of the paper" in note for note in table.notes)


def split_by_subject():
    return [[entry for entry in samples() if (entry[2] in ("s0", "s1")) == first] for first in (True, False)]


def test_folds_are_pooled(tmp_path):
    folders = [
        write_fake_run(tmp_path, "au-cnn", method="AU+CNN", fold=str(fold), shown=shown)
        for fold, shown in enumerate(split_by_subject())
    ]
    table = table2.build(tmp_path)
    rows = lines(table)["AU+CNN", "this data set"]
    expected = counted(folders)
    assert {label: rows[label] for label in LABELS} == pytest.approx(expected)
    assert (rows["Test samples"], rows["Seeds"]) == (132, 1)
    assert "AU+CNN: from runs/au-cnn/0/0, runs/au-cnn/1/0." in table.notes


def test_missing_fold_leaves_blanks_not_a_partial_mean(tmp_path):
    first, second = split_by_subject()
    write_fake_run(tmp_path, "au-cnn", method="AU+CNN", fold="0", shown=first)
    write_fake_run(tmp_path, "au-cnn", method="AU+CNN", fold="1", shown=second)
    write_fake_run(tmp_path, "au-cnn", method="AU+CNN", fold="0", seed=1, shown=first)
    table = table2.build(tmp_path)
    cells = lines(table)["AU+CNN", "this data set"]
    assert {cells[column] for column in (*SUMMARY, *LABELS)} == {None}
    assert any("AU+CNN: blank, since runs/au-cnn/1/1 is missing beside" in note for note in table.notes)


@pytest.mark.slow
def test_seeds_on_different_samples_leave_blanks(tmp_path):
    """E.g. clips were added between the seeds: no mean over both, and no failure of the whole table."""
    for seed, shown in enumerate((samples(), samples(2))):
        write_fake_run(tmp_path, "au-cnn", method="AU+CNN", seed=seed, shown=shown)
    write_fake_run(tmp_path, "lbp-svm", method="LBP+SVM")
    table = table2.build(tmp_path)
    rows = lines(table)
    assert {rows["AU+CNN", "this data set"][column] for column in (*SUMMARY, *LABELS)} == {None}
    assert rows["LBP+SVM", "this data set"]["Test samples"] == 132
    message = "AU+CNN: blank, since the seeds of runs/au-cnn were tested on different samples; run them again"
    assert [note for note in table.notes if note.startswith(message)]


def test_unfinished_fold_leaves_blanks(tmp_path):
    write_fake_run(tmp_path, "au-cnn", method="AU+CNN", fold="0", shown=split_by_subject()[0])
    (tmp_path / "runs" / "au-cnn" / "1" / "0").mkdir(parents=True)
    table = table2.build(tmp_path)
    assert lines(table)["AU+CNN", "this data set"]["Mean"] is None
    assert any("since runs/au-cnn/1/0 is missing" in note for note in table.notes)


def test_unfinished_seed_is_left_out_and_named(tmp_path):
    write_fake_run(tmp_path, "au-cnn", method="AU+CNN")
    (tmp_path / "runs" / "au-cnn" / "0" / "7").mkdir()
    table = table2.build(tmp_path)
    assert lines(table)["AU+CNN", "this data set"]["Seeds"] == 1
    assert "AU+CNN: seed 7 is not finished and left out." in table.notes


def test_class_without_samples_is_blank_and_named(tmp_path):
    shown = [entry for entry in samples() if leaf(entry[3]).basic != "love"]
    write_fake_run(tmp_path, "au-cnn", method="AU+CNN", shown=shown)
    table = table2.build(tmp_path)
    cells = lines(table)["AU+CNN", "this data set"]
    assert (cells["lust"], cells["affection"]) == (None, None)
    assert cells["Mean"] is not None
    assert any(
        "no test samples of affection, lust; its mean is over the other 31" in note for note in table.notes
    )


@pytest.mark.slow
def test_different_test_samples_are_told(tmp_path):
    write_fake_run(tmp_path, "au-cnn", method="AU+CNN")
    write_fake_run(tmp_path, "lbp-svm", method="LBP+SVM", shown=samples(2))
    write_fake_run(tmp_path, "dense-traj-svm", method="DenseTraj", shown=samples(3))
    notes = " ".join(table2.build(tmp_path).notes)
    assert "image methods were tested on different samples (LBP+SVM: 66; AU+CNN: 132)" in notes
    assert "video methods were tested" not in notes


def test_one_subject_has_no_interval(tmp_path):
    shown = [(name, clip, "s0", label) for name, clip, _, label in samples()]
    write_fake_run(tmp_path, "au-cnn", method="AU+CNN", shown=shown)
    cells = lines(table2.build(tmp_path))["AU+CNN", "this data set"]
    assert cells["Mean"] is not None
    assert [cells[column] for column in SUMMARY[1:4]] == [None, None, None]


def test_without_runs_there_is_a_command_to_run(tmp_path):
    with pytest.raises(NoRunError, match="no finished run of LBP") as caught:
        table2.build(tmp_path)
    assert "fgbench baseline lbp-svm" in caught.value.hint
    assert isinstance(caught.value, ManifestError)


def test_predictions_that_are_not_those_scored_are_left_out(tmp_path):
    folder = write_fake_run(tmp_path, "au-cnn", method="AU+CNN")
    other = write_fake_run(tmp_path, "au-z-cnn", method="AU+Z-CNN")
    (folder / "predictions.parquet").write_bytes((other / "predictions.parquet").read_bytes())
    text = "\n".join(table2.build(tmp_path).notes)
    assert "runs/au-z-cnn/0/0" in text
    assert "runs/au-cnn/" not in text
    other.rename(tmp_path / "elsewhere")
    with pytest.raises(ManifestError, match=r"left out au-cnn/0/0: .* is not the file that"):
        table2.build(tmp_path)


def test_one_experiment_is_of_one_method(tmp_path):
    write_fake_run(tmp_path, "mine", method="AU+CNN")
    write_fake_run(tmp_path, "mine", method="Plain CNN", seed=1)
    with pytest.raises(ManifestError, match=r"of several methods: AU\+CNN, Plain CNN"):
        table2.build(tmp_path)


def test_a_method_of_ones_own_is_shown_without_any_of_the_paper(tmp_path):
    folder = write_fake_run(tmp_path, "mine", method="The commonest", share=0.5)
    table = table2.build(tmp_path)
    row = lines(table)["The commonest", "this data set"]
    expected = counted([folder])
    assert {label: row[label] for label in LABELS} == pytest.approx(expected)
    for (method, of), theirs in lines(table).items():
        if of == "this data set" and method != "The commonest":
            assert {theirs[label] for label in LABELS} == {None}, method
    other = tmp_path / "other"
    write_fake_run(other, "msau-progressive", method="MSAU-Net, progressive")
    with pytest.raises(NoRunError):  # a variant, which is no row of this table
        table2.build(other)
