"""The paper's numbers, orders of means, blocks of wide tables, and what the command does without runs."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from fgbench.evaluation.cluster_counts import count_clusters
from fgbench.evaluation.significance import seeds_interval
from fgbench.reports.paper.methods import BACKBONES, METHODS, MSAU
from fgbench.reports.paper.numbers import figure7_peaks, table2, table5
from fgbench.reports.paper.ranking import Standing, order_notes
from fgbench.reports.rendering.render import comma_separated, markdown
from fgbench.reports.rendering.table import Spread, Table
from fgbench.taxonomy import leaves
from tests.support.report_folders import samples, write_fake_run, write_manifests


def test_paper_has_every_class_for_every_method():
    table = table2()
    assert list(table.accuracies) == [(method.source, method.name) for method in METHODS]
    names = {leaf.name for leaf in leaves()}
    assert set(table.classes) == names
    for values in table.accuracies.values():
        assert tuple(values) == table.classes
        assert all(0.4 < value < 0.9 for value in values.values())
    assert {(repair.method, repair.label) for repair in table.repairs} == {
        ("LBP+SVM", "affection"),
        ("Plain TSNet", "anxiety"),
        ("Plain TSNet", "remorse"),
        ("NAN", "suffering"),
    }


def test_paper_orders_its_methods_by_mean():
    table = table2()
    for source in ("image", "video"):
        means = [table.mean(source, method.name) for method in METHODS if method.source == source]
        assert means == sorted(means)


def test_peaks_of_figure7():
    assert figure7_peaks() == {"number of regions": 4.0, "weight of the spatial stream": 0.7}


def test_paper_has_every_backbone_of_table5():
    assert table5() == {
        "AFEW 7.0": {"Optical Flow": 0.476, "VGG16-LSTM": 0.501, "C3D-LSTM": 0.483},
        "FG-Emotions": {"Optical Flow": 0.659, "VGG16-LSTM": 0.694, "C3D-LSTM": 0.655},
    }
    assert [list(values) for values in table5().values()] == [list(BACKBONES)] * 2


def test_video_methods_name_their_commands():
    commands = {method.recipe: method.command for method in (*METHODS, *BACKBONES.values())}
    assert {name: commands[name] for name in ("nan", "plain-tsnet", "tmsau", "tmsau-vgg-lstm")} == {
        "nan": "fgbench baseline nan",
        "plain-tsnet": "fgbench baseline plain-tsnet",
        "tmsau": "fgbench train tmsau",
        "tmsau-vgg-lstm": "fgbench train tmsau --temporal vgg-lstm",
    }


def standing(recipe, mean, *, suffix="", n_right=None, n_samples=400):
    """An experiment on two classes of ten subjects, the first ``n_right`` samples right."""
    method = next(method for method in METHODS if method.recipe == recipe)
    truth = np.repeat([0, 1], n_samples // 2)
    subjects = [f"s{index % 10}" for index in range(n_samples)]
    predicted = np.where(np.arange(n_samples) < (n_right or 0), truth, 1 - truth)
    counts = count_clusters(truth, predicted, clusters=subjects, n_classes=2)
    return Standing(
        name=method.name,
        experiment=recipe + suffix,
        method=method,
        mean=mean,
        paper=table2().mean(method.source, method.name),
        counts=(counts,),
        samples=frozenset((str(index), str(label)) for index, label in enumerate(truth)),
    )


def test_same_order_is_said():
    standings = [standing("lbp-svm", 0.1), standing("au-cnn", 0.2), standing("msau", 0.3)]
    assert order_notes("image", standings) == [
        "The means of the image methods stand in the paper's order (3 pairs)."
    ]


def test_other_order_is_said_with_the_numbers_and_paired_tests():
    """Ten subjects, each with 2 of 40 more right: the smallest p of ten swaps, 2 / 1024, times three."""
    standings = [
        standing("au-cnn", 0.5, n_right=200),
        standing("au-z-cnn", 0.4, n_right=180),
        standing("msau", 0.6, n_right=240),
    ]
    assert order_notes("image", standings) == [
        "The order of the means of the image methods differs from the paper's in 1 of 3 pairs: "
        "AU+CNN 0.500 above AU+Z-CNN 0.400 (paper 0.702 below 0.719; p 0.006). p: paired tests of the UAR "
        "over whole clusters, over seeds where there are several, corrected for the 3 pairs tested (Holm); "
        "above 0.05 the order may be chance."
    ]


def test_runs_on_other_samples_have_no_test_of_their_order():
    standings = [standing("au-cnn", 0.5), standing("au-z-cnn", 0.4, n_samples=300)]
    (note,) = order_notes("image", standings)
    assert "(paper 0.702 below 0.719; no test: other samples)" in note
    assert "corrected for the 0 pairs tested" in note


def test_intervals_that_overlap_do_not_hide_a_paired_difference():
    """Two runs that share all errors but one more per subject: their intervals overlap, the test tells them
    apart."""
    generator = np.random.default_rng(0)
    subjects, truth = np.repeat(np.arange(12), 40), np.tile([0, 1], 240)
    right = generator.random(480) < np.repeat(generator.uniform(0.3, 0.9, 12), 40)
    better = right.copy()
    for subject in range(12):
        better[np.flatnonzero((subjects == subject) & ~right)[:2]] = True
    one, other = (
        count_clusters(
            truth, np.where(hit, truth, 1 - truth), clusters=[f"s{n}" for n in subjects], n_classes=2
        )
        for hit in (better, right)
    )
    high, low = (seeds_interval([counts], metric="uar") for counts in (one, other))
    assert high.low < low.high
    standings = [
        replace(standing(recipe, counts.score("uar"), n_samples=2), counts=(counts,))
        for recipe, counts in (("au-cnn", one), ("au-z-cnn", other))
    ]
    (note,) = order_notes("image", standings)
    assert "p < 0.001" in note
    assert "overlap" not in note


def test_ablations_compare_with_the_same_settings_only():
    swapped = [standing("au-cnn", 0.9, suffix="-tuned"), standing("msau", 0.1, suffix="-small")]
    assert order_notes("image", swapped) == []
    (note,) = order_notes("image", [standing("lbp-svm", 0.5), *swapped])
    assert "in 1 of 2 pairs: LBP+SVM 0.500 above MSAU-Net" in note


def test_equal_means_are_no_other_order():
    (note,) = order_notes("image", [standing("au-cnn", 0.5), standing("msau", 0.5)])
    assert "stand in the paper's order" in note


@pytest.mark.parametrize(
    ("experiment", "expected"),
    [("msau", ""), ("msau-small", "-small"), ("msaux", None), ("my-own", None)],
)
def test_settings_are_told_by_the_suffix(experiment, expected):
    assert MSAU.settings(experiment) == expected


WIDE = Table(
    name="wide",
    title="Wide",
    columns=["Key", "a", "b", "c"],
    rows=[["x", 1, Spread(0.25, 0.125), None], ["y", 2, 0.5, "n"]],
    keys=1,
    blocks=(2, 1),
)


def test_wide_table_is_shown_in_blocks_and_kept_whole_as_data():
    assert markdown(WIDE) == (
        "**Wide**\n\n| Key | a | b |\n| :--- | ---: | ---: |\n| x | 1 | 0.250 ± 0.125 |\n| y | 2 | 0.500 |\n"
        "\n| Key | c |\n| :--- | :--- |\n| x |  |\n| y | n |\n"
    )
    assert comma_separated(WIDE) == "Key,a,b,c\nx,1,0.25 ± 0.125,\ny,2,0.5,n\n"


def test_blocks_have_to_cover_the_columns():
    with pytest.raises(ValueError, match="1 columns and blocks of \\[2, 2\\], expected 4"):
        Table(name="t", title="", columns=WIDE.columns, rows=[], keys=1, blocks=(2, 2)).parts()


def fgbench_report(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "fgbench", "report", "--workdir", "work", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A work folder with one run, of AU+CNN."""
    folder = tmp_path_factory.mktemp("command")
    write_manifests(folder / "work", samples(1))
    write_fake_run(folder / "work", "au-cnn", method="AU+CNN", shown=samples(1))
    return folder


@pytest.mark.slow
def test_bare_report_goes_on_where_runs_are_missing(folder):
    done = fgbench_report("--format", "csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    left_out = [line for line in done.stderr.splitlines() if line.startswith("left out")]
    assert [line.split(":")[0] for line in left_out] == [
        "left out table3",
        "left out table4",
        "left out table5",
        "left out table6, table7, figure6",
        "left out attention",
        "left out figure7",
    ]
    assert "no finished run of TMSAU-Net (Ours)" in left_out[2]
    assert "fgbench train tmsau --temporal vgg-lstm" in left_out[2]
    assert "no finished run of MSAU-Net (Ours)" in left_out[3]
    assert "fgbench train msau" in left_out[3]
    written = sorted(path.name for path in (folder / "work" / "reports").iterdir())
    assert written == ["figure3.csv", "table1.csv", "table2.csv"]


@pytest.mark.slow
def test_a_figure_may_have_a_name(folder):
    done = fgbench_report("--figure", "attention", cwd=folder)
    assert done.returncode == 7
    assert "error: no finished run of TMSAU-Net (Ours), NAN" in done.stderr
    done = fgbench_report("--figure", "atention", cwd=folder)
    assert done.returncode == 3
    assert "did you mean 'attention'?" in done.stderr


@pytest.mark.slow
def test_report_by_name_fails_without_runs(folder):
    done = fgbench_report("--table", "VI", cwd=folder)
    assert done.returncode == 7
    assert "error: no finished run of MSAU-Net (Ours)" in done.stderr
    assert "fgbench train msau" in done.stderr
    assert "Traceback" not in done.stderr
