"""Runs of another protocol beside those of now, as after other folds were asked for, count for no score."""

import pytest

from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.comparison.leaderboard import leaderboard
from fgbench.reports.experiments import read_experiment
from fgbench.workfolders.sealed_json import write_sealed
from tests.support.report_folders import samples, write_fake_run

CLASSES = ("anger", "panic", "pride")


def shown(fold, n_folds):
    """Samples that a fold tests; all samples of the classes are tested by the parts."""
    own = [sample for sample in samples() if sample[3] in CLASSES]
    return own if n_folds == 0 else own[int(fold) - 1 :: n_folds]


def write_runs(work, n_folds):
    folds = [str(number) for number in range(1, n_folds + 1)] or ["0"]
    protocol = {"folds": folds, "label": f"{n_folds} folds", "digest": None}
    for fold in folds:
        write_fake_run(
            work,
            "mine",
            method="Mine",
            fold=fold,
            shown=shown(fold, n_folds),
            classes=CLASSES,
            details={"protocol": protocol},
        )


def write_index(work, protocol):
    (work / "manifests").mkdir(parents=True)
    write_sealed(
        work / "manifests/index.json",
        {"protocol": protocol, "dataset": "d", "synthetic": False, "tables": {}, "files": {}},
    )


@pytest.mark.parametrize(
    ("before", "now", "of_others"),
    [(0, 3, ["0/0"]), (4, 3, ["4/0"]), (3, 0, ["1/0", "2/0", "3/0"])],
)
def test_no_sample_is_scored_twice(tmp_path, before, now, of_others):
    write_index(tmp_path, {"kind": "k-fold", "folds": now} if now else {"kind": "parts"})
    write_runs(tmp_path, before)
    write_runs(tmp_path, now)
    experiment = read_experiment(tmp_path / "runs/mine")
    assert experiment.of_others == of_others
    assert experiment.is_whole
    assert len(find_contender("mine", tmp_path).seeds[0].sample_ids) == 12
    (table,) = leaderboard(tmp_path)
    assert table.rows[0][table.columns.index("Samples")] == 12
    left_out = ", ".join(f"runs/mine/{key}" for key in of_others)
    assert f"{left_out}: of another protocol than the others, and left out." in table.notes


def test_without_manifests_the_protocol_of_most_runs_counts(tmp_path):
    write_runs(tmp_path, 0)
    write_runs(tmp_path, 3)
    assert read_experiment(tmp_path / "runs/mine").of_others == ["0/0"]


def test_what_the_protocol_of_now_lacks_is_missing(tmp_path):
    write_index(tmp_path, {"kind": "k-fold", "folds": 3})
    write_runs(tmp_path, 0)
    write_runs(tmp_path, 3)
    (tmp_path / "runs/mine/2/0/result.json").unlink()
    experiment = read_experiment(tmp_path / "runs/mine")
    assert (experiment.missing, experiment.of_others) == (["2/0"], ["0/0"])
