"""Tables as they are written, word for word: Markdown, LaTeX and CSV of made-up runs.

The files lie in ``tests/reports/golden``, numbers of CSV with nine digits. After a change that is meant,
write them anew and read the difference::

    FGBENCH_WRITE_GOLDEN=1 python -m pytest tests/reports/test_golden.py
    git diff tests/reports/golden
"""

import functools
import os
import re
from pathlib import Path

import pytest

from fgbench import plugins
from fgbench.reports.comparison.compared import compare
from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.comparison.leaderboard import leaderboard
from fgbench.reports.comparison.tables import comparison_tables
from fgbench.reports.rendering.files import TEXT_FORMATS
from fgbench.reports.run.sheet import sheet_tables
from tests.support.benchmark_runs import fake_run, of_fold
from tests.support.clip_runs import write_clip_manifests, write_clip_run
from tests.support.divided_work import described, ekman_index, write_work
from tests.support.report_folders import samples, write_fake_run, write_manifests, write_regions

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Runs of two methods on images (one with seeds) and one on clips; regions; one to three zooms."""
    work = tmp_path_factory.mktemp("golden")
    write_manifests(work, samples())
    for seed in (0, 1):
        folder = write_fake_run(work, "msau", method="MSAU-Net (Ours)", seed=seed, share=0.6)
    write_regions(folder, {name: [(4, 3), (1, 3), (3, 3)] for name, *_ in samples()})
    write_regions(folder.parent / "0", {name: [(1, 2), (4, 3), (3, 3)] for name, *_ in samples()})
    write_fake_run(work, "lbp-svm", method="LBP+SVM", share=0.3)
    clips = {clip: (clip, clip, subject, label) for _, clip, subject, label in samples()}
    write_fake_run(work, "dense-traj-svm", method="DenseTraj", share=0.4, shown=list(clips.values()))
    for number in (1, 2, 3):
        write_fake_run(
            work,
            f"msau-progressive-r{number}",
            method="MSAU-Net, progressive",
            share=0.2 * number,
            details={"regions": number, "recipe": "msau-progressive"},
        )
    return work


@pytest.fixture(scope="module")
def folds(tmp_path_factory):
    """Runs over five folds of another data set: a method on images with seeds, and one on clips."""
    work = write_work(tmp_path_factory.mktemp("golden") / "ck", described(), **ekman_index())
    for fold in ("1", "2", "3", "4", "5"):
        for seed in (0, 1):
            fake_run(work, "lbp-svm", of_fold(fold), fold=fold, seed=seed, method="LBP+SVM", kind="image")
        clips = {"method": "DenseTraj", "kind": "video", "share": 0.5}
        fake_run(work, "dense-traj-svm", of_fold(fold), fold=fold, **clips)
    return work


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Runs of two temporal backbones with their streams and attention."""
    work = tmp_path_factory.mktemp("golden-videos")
    write_clip_manifests(work)
    write_clip_run(work, "tmsau-small", lost=())
    write_clip_run(work, "tmsau-small-vgg-lstm", method="TMSAU-Net, VGG16-LSTM", temporal="vgg-lstm")
    return work


def short(text):
    """Numbers with nine digits: the last ones depend on the processor; no day, which is that of the test."""
    text = re.sub(r"since \d{4}-\d\d-\d\d", "since DAY", text)
    return re.sub(r"-?\d+\.\d{7,}(e-\d+)?", lambda actual: f"{float(actual[0]):.9f}", text)


@pytest.fixture(scope="module")
def tables(work, folds, videos):
    """Tables by name, each built once."""
    elsewhere = {"table3": folds, "table4": folds, "table5": videos, "attention": videos}
    return functools.cache(lambda name: tables_of(elsewhere.get(name, work), name))


def tables_of(work, name):
    if name == "leaderboard":
        return leaderboard(work)
    if name == "compare":
        runs = ["lbp-svm", "msau", "msau-progressive-r2"]
        return comparison_tables(compare([find_contender(run, work) for run in runs]))
    if name == "run":
        return sheet_tables(find_contender("msau", work))
    if name.startswith("figure") or name == "attention":
        return [plugins.load("figures", name).build(work).table]
    return [plugins.load("tables", name).build(work)]


@pytest.mark.parametrize("kind", ["md", "tex", "csv"])
@pytest.mark.parametrize(
    "name",
    [
        "table1",
        "table2",
        "table3",
        "table4",
        "table5",
        "table6",
        "table7",
        "figure3",
        "figure6",
        "figure7",
        "attention",
        "leaderboard",
        "compare",
        "run",
    ],
)
def test_tables_are_written_as_before(tables, name, kind):
    actual = short("\n".join(TEXT_FORMATS[kind](table) for table in tables(name)))
    path = GOLDEN / f"{name}.{kind}"
    if os.environ.get("FGBENCH_WRITE_GOLDEN"):
        path.write_text(actual, encoding="utf-8")
    assert actual == path.read_text(encoding="utf-8")
