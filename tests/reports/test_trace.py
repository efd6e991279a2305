"""Every number of the tables, recomputed from ``predictions.parquet`` and traced through ``result.json``.

Plain Python and NumPy stand in for the code under test; which runs a table is of is read from its notes.
"""

import hashlib
import json
import re
import statistics

import pyarrow.parquet as pq
import pytest
from scipy.stats import t as students_t

from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.comparison.leaderboard import leaderboard
from fgbench.reports.figures import figure3, figure7
from fgbench.reports.rendering.table import Spread
from fgbench.reports.run.sheet import sheet_tables
from fgbench.reports.tables import table1, table2, table6, table7
from tests.support.report_folders import LABELS, samples, write_fake_run, write_manifests


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("trace")
    write_manifests(work, samples())
    for seed in (0, 1, 2):
        write_fake_run(work, "msau", method="MSAU-Net (Ours)", seed=seed, share=0.55)
    parts = [[entry for entry in samples() if (entry[2] in ("s0", "s1")) == first] for first in (True, False)]
    for fold, shown in enumerate(parts):
        write_fake_run(work, "au-cnn", method="AU+CNN", fold=str(fold), share=0.5, shown=shown)
    write_fake_run(work, "lbp-svm", method=None, share=0.2)
    clips = {clip: (clip, clip, subject, label) for _, clip, subject, label in samples()}
    write_fake_run(work, "dense-traj-svm", method="DenseTraj", share=0.4, shown=list(clips.values()))
    for number in (1, 2):
        write_fake_run(
            work,
            f"msau-progressive-r{number}",
            method="MSAU-Net, progressive",
            share=0.3 * number,
            details={"regions": number, "recipe": "msau-progressive"},
        )
    return work


def traced(work, folder):
    """Rows of the predictions of a run, after a look at what its result says of them."""
    path = work / folder / "predictions.parquet"
    result = json.loads((work / folder / "result.json").read_text())
    assert result["predictions_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    rows = pq.read_table(path).to_pylist()
    actual = recalls(rows)
    assert result["metrics"]["n"] == len(rows)
    assert result["metrics"]["uar"] == pytest.approx(mean(actual))
    assert result["metrics"]["war"] == pytest.approx(right_share(rows))
    assert result["metrics"]["macro_f1"] == pytest.approx(f1(rows))
    for entry in result["metrics"]["classes"]:
        assert entry["recall"] == (
            None if actual[entry["label"]] is None else pytest.approx(actual[entry["label"]])
        )
    return rows


def noted(table):
    """Method to folders of its runs, as the notes of a table say."""
    actual = {}
    for note in table.notes:
        match = re.fullmatch(r"(.+): from (runs/.+)\.", note)
        if match:
            actual[match[1]] = match[2].split(", ")
    return actual


def by_seed(work, folders):
    """Rows per seed, folds together."""
    seeds = {}
    for folder in folders:
        seeds.setdefault(folder.rsplit("/", 1)[1], []).extend(traced(work, folder))
    return list(seeds.values())


def recalls(rows):
    actual = {}
    for label in LABELS:
        own = [row for row in rows if row["label"] == label]
        actual[label] = sum(row["predicted"] == label for row in own) / len(own) if own else None
    return actual


def mean(values):
    return statistics.mean(value for value in values.values() if value is not None)


def right_share(rows):
    return sum(row["predicted"] == row["label"] for row in rows) / len(rows)


def f1(rows):
    actual = []
    for label in {row["label"] for row in rows}:
        hits = sum(row["label"] == label == row["predicted"] for row in rows)
        n = sum((row["label"] == label) + (row["predicted"] == label) for row in rows)
        actual.append(2 * hits / n)
    return statistics.mean(actual)


def same(cell, values):
    """Whether a cell is one value, or mean and standard deviation of several."""
    if len(values) == 1:
        return cell == pytest.approx(values[0])
    return isinstance(cell, Spread) and (cell.mean, cell.sd) == pytest.approx(
        (statistics.mean(values), statistics.stdev(values))
    )


def interval(seeds, score=None):
    """95 % interval: Student's t over subjects left out one at a time, and over seeds if there are several.

    Degrees of freedom after Satterthwaite, and no more than those of the subjects.
    """
    of = right_share if score == "war" else lambda rows: mean(recalls(rows))
    subjects = sorted({row["subject_id"] for rows in seeds for row in rows})
    left = [
        statistics.mean(of([row for row in rows if row["subject_id"] != name]) for rows in seeds)
        for name in subjects
    ]
    scores = [of(rows) for rows in seeds]
    sources = [((len(left) - 1) ** 2 / len(left) * statistics.variance(left), len(left) - 1)]
    if len(scores) > 1:
        sources.append((statistics.variance(scores) / len(scores), len(scores) - 1))
    total = sum(variance for variance, _ in sources)
    freedom = min(len(left) - 1, total**2 / sum(variance**2 / degrees for variance, degrees in sources))
    reach = students_t.ppf(0.975, freedom) * total**0.5
    middle = statistics.mean(scores)
    return pytest.approx((max(0.0, middle - reach), min(1.0, middle + reach)))


def cells_of(table, of="this data set"):
    heads = list(table.columns)
    return [dict(zip(heads, row, strict=True)) for row in table.rows if row[heads.index("Of")] == of]


@pytest.mark.slow
def test_table1_and_figure3(work):
    clips = pq.read_table(work / "manifests/clips.parquet").to_pylist()
    images = pq.read_table(work / "manifests/images/test-00000.parquet").to_pylist()
    expected = {"Image": len(images), "Video": len(clips), "Augmented Image": len(images)}
    for cells in cells_of(table1.build(work)):
        assert cells["Test set"] == cells["Total"] == expected[cells["Source"]]
        assert cells["Training set"] == cells["Validation set"] == 0
    for row in figure3.build(work).table.rows:
        own = [sum(entry["label"] == row[0] for entry in rows) for rows in (images, clips, images)]
        assert row[2:] == own


@pytest.mark.slow
def test_table2(work):
    table = table2.build(work)
    runs = noted(table)
    assert set(runs) == {"LBP+SVM", "AU+CNN", "MSAU-Net (Ours)", "DenseTraj"}
    checked = 0
    for cells in cells_of(table):
        if cells["Method"] not in runs:
            assert {cells[label] for label in ("Mean", *LABELS)} == {None}
            continue
        seeds = by_seed(work, runs[cells["Method"]])
        actual = [recalls(rows) for rows in seeds]
        for label in LABELS:
            assert same(cells[label], [values[label] for values in actual])
            checked += 1
        assert same(cells["Mean"], [mean(values) for values in actual])
        assert (cells["95 % from"], cells["95 % to"]) == interval(seeds)
        assert cells["Clusters"] == 8
        assert cells["Test samples"] == len(seeds[0])
        assert cells["Seeds"] == len(seeds)
    assert checked == 4 * 33


@pytest.mark.parametrize("module", [table6, table7])
def test_tables_6_and_7(work, module):
    table = module.build(work)
    seeds = by_seed(work, noted(table)["MSAU-Net (Ours)"])
    assert len(seeds) == 3
    classes = list(table.columns[2:-1])
    for cells in cells_of(table):
        shares = []
        for rows in seeds:
            own = [row["predicted"] for row in rows if row["label"] == cells["True class"]]
            shares.append({label: own.count(label) / len(own) for label in classes})
        for label in classes:
            assert same(cells[label], [one[label] for one in shares])
        assert same(cells["elsewhere"], [1 - sum(one.values()) for one in shares])
    diagonal = [statistics.mean(recalls(rows)[label] for label in classes) for rows in seeds]
    message = f"{statistics.mean(diagonal):.3f} ± {statistics.stdev(diagonal):.3f}"
    assert any(f"mean accuracy of the classes listed {message}." in note for note in table.notes)


def test_figure7(work):
    table = figure7.build(work).table
    assert len(table.rows) == 2
    for row in table.rows:
        _, recipe, value, mean_cell, low, high = row[:6]
        rows = traced(work, f"runs/{recipe}-r{value:g}/0/0")
        assert mean_cell == pytest.approx(mean(recalls(rows)))
        assert (low, high) == interval([rows])


@pytest.mark.slow
def test_leaderboard(work):
    tables = {table.name: table for table in leaderboard(work)}
    assert set(tables) == {"leaderboard-images-fg33", "leaderboard-clips-fg33"}
    names = []
    for table in tables.values():
        for row in table.rows:
            cells = dict(zip(table.columns, row, strict=True))
            folder = work / "runs" / cells["Run"]
            seeds = by_seed(work, sorted(str(path.relative_to(work)) for path in folder.glob("*/*")))
            assert same(cells["UAR"], [mean(recalls(rows)) for rows in seeds])
            assert same(cells["WAR"], [right_share(rows) for rows in seeds])
            assert same(cells["Macro F1"], [f1(rows) for rows in seeds])
            assert (cells["UAR from"], cells["UAR to"]) == interval(seeds)
            assert (cells["WAR from"], cells["WAR to"]) == interval(seeds, "war")
            names.append(cells["Run"])
    assert sorted(names) == [
        "au-cnn",
        "dense-traj-svm",
        "lbp-svm",
        "msau",
        "msau-progressive-r1",
        "msau-progressive-r2",
    ]


def test_sheet_of_a_run(work):
    tables = {table.name: table for table in sheet_tables(find_contender("lbp-svm", work))}
    rows = traced(work, "runs/lbp-svm/0/0")
    measures = {row[0]: row[1] for row in tables["run-lbp-svm-measures"].rows}
    assert measures["UAR"] == pytest.approx(mean(recalls(rows)))
    assert measures["WAR"] == pytest.approx(right_share(rows))
    assert measures["macro F1"] == pytest.approx(f1(rows))
    kept = [row for row in rows if row["predicted"] is not None]
    assert measures["coverage (samples with a prediction)"] == pytest.approx(len(kept) / len(rows))
    assert measures["UAR, detected subset"] == pytest.approx(mean(recalls(kept)))
    confidences = [row["probabilities"][LABELS.index(row["predicted"])] for row in kept]
    assert measures["mean confidence"] == pytest.approx(statistics.mean(confidences))
    errors = [
        sum((p - (label == row["label"])) ** 2 for p, label in zip(row["probabilities"], LABELS, strict=True))
        for row in kept
    ]
    assert measures["Brier score"] == pytest.approx(statistics.mean(errors))
    for label, n, recall, _, _ in tables["run-lbp-svm-classes"].rows:
        assert n == sum(row["label"] == label for row in rows)
        assert recall == pytest.approx(recalls(rows)[label])
    for true, *counts in tables["run-lbp-svm-confusion"].rows:
        own = [row["predicted"] for row in rows if row["label"] == true]
        assert counts == [own.count(label) for label in (*LABELS, None)]
