"""One damaged run is named and left out; the others are shown."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from fgbench import plugins
from fgbench.cli.app import app
from fgbench.errors import ManifestError
from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.comparison.leaderboard import leaderboard
from fgbench.reports.experiments import damaged_runs, find_experiments
from fgbench.reports.page.finished_runs import find_runs
from fgbench.reports.paper.methods import METHODS
from fgbench.runs.unit_results import AuPredictions, write_au_run
from fgbench.workfolders.sealed_json import write_sealed
from tests.support.page_folders import write_data
from tests.support.report_folders import samples, write_fake_run


def replaced(folder, text):
    (folder / "result.json").write_text(text)


def other_scores(folder):
    result = json.loads((folder / "result.json").read_text())
    result["metrics"]["uar"] = 0.987654321
    (folder / "result.json").write_text(json.dumps(result))


def cut(folder):
    path = folder / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:-200])


def flipped(folder):
    path = folder / "predictions.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def a_folder(folder):
    (folder / "result.json").unlink()
    (folder / "result.json").mkdir()


def other_text(name):
    def damage(folder):
        path = folder / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    return damage


def other_device(folder):
    path = folder / "result.json"
    path.write_text(path.read_text().replace('"cpu"', '"gpu"'))


DAMAGES = {
    "list": lambda folder: replaced(folder, "[]"),
    "empty": lambda folder: replaced(folder, "{}"),
    "number": lambda folder: replaced(folder, "1"),
    "nan": lambda folder: replaced(folder, "NaN"),
    "text": lambda folder: replaced(folder, '"x"'),
    "deep": lambda folder: replaced(folder, "[" * 5000),
    "latin": lambda folder: (folder / "result.json").write_bytes(b'{"a": "\xe9"}'),
    "folder": a_folder,
    "other scores": other_scores,
    "cut": cut,
    "flipped": flipped,
    "settings": other_text("config.yaml"),
    "confusion": other_text("confusion.csv"),
    "device": other_device,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_lists_of_runs_leave_it_out(tmp_path, damage):
    shown = samples(1)
    bad = write_fake_run(tmp_path, "bad", method="AU+CNN", shown=shown)
    write_fake_run(tmp_path, "good", method="LBP+SVM", shown=shown)
    DAMAGES[damage](bad)
    assert [one.name for one in find_experiments(tmp_path, METHODS)] == ["good"]
    assert list(damaged_runs(tmp_path)) == ["bad/0/0"]
    (table,) = leaderboard(tmp_path)
    assert [row[1] for row in table.rows] == ["good"]
    assert "runs/bad/0/0 is damaged and left out." in table.notes
    runs = find_runs(tmp_path, dataset="mine", synthetic=True)
    assert [run.key for run in runs.runs] == ["good/0/0"]
    assert [key for key, _ in runs.faults] == ["bad/0/0"]
    with pytest.raises(ManifestError, match="bad"):
        find_contender("bad/0/0", tmp_path)
    with pytest.raises(ManifestError, match="bad"):
        find_contender("bad", tmp_path)


def test_a_damaged_seed_is_left_out_and_the_other_stands(tmp_path):
    write_fake_run(tmp_path, "cnn", method="AU+CNN", shown=samples(1))
    cut(write_fake_run(tmp_path, "cnn", method="AU+CNN", seed=1, shown=samples(1)))
    (experiments,) = find_experiments(tmp_path, METHODS)
    assert (experiments.seeds, experiments.missing, experiments.unfinished, experiments.damaged) == (
        [0],
        [],
        [],
        ["0/1"],
    )
    (table,) = leaderboard(tmp_path)
    assert table.rows[0][table.columns.index("Seeds")] == 1
    assert "runs/cnn/0/1 is damaged and left out." in table.notes


def test_a_damaged_fold_leaves_a_gap_that_is_told(tmp_path):
    for fold in "12":
        folder = write_fake_run(tmp_path, "cnn", method="AU+CNN", fold=fold, shown=samples(1))
    cut(folder)
    (experiments,) = find_experiments(tmp_path, METHODS)
    assert (experiments.missing, experiments.damaged) == (["2/0"], ["2/0"])


def test_what_a_run_keeps_beside_its_predictions_may_be_damaged(tmp_path):
    for name in ("history.json", "branches.parquet", "regions.parquet", "attention.parquet"):
        folder = write_fake_run(tmp_path, f"bad-{name}", method="AU+CNN", shown=samples(1))
        (folder / name).write_text("[]")
    pq.write_table(pa.table({"a": [1]}), folder / "branches.parquet")
    write_fake_run(tmp_path, "good", method="LBP+SVM", shown=samples(1))
    runs = find_runs(tmp_path, dataset="mine", synthetic=True)
    assert [run.experiment for run in runs.runs] == ["good"]
    assert len(runs.faults) == 4


def test_changed_curves_and_settings_are_not_shown(tmp_path):
    epoch = {"epoch": 0, "losses": {"loss": 2.5}, "score": {}, "learning_rate": 0.1, "seconds": 1.25}
    changes = {"history.json": ("2.5", "2.4"), "config.yaml": ("name", "nama")}
    for name, (old, new) in changes.items():
        experiment = name.split(".")[0]
        curves = tmp_path / "runs" / experiment / "0" / "0" / "history.json"
        write_sealed(curves, {"epochs": [epoch], "best_epoch": 0, "keep": "best"})
        path = write_fake_run(tmp_path, experiment, method="AU+CNN", shown=samples(1)) / name
        assert [run.experiment for run in find_runs(tmp_path, dataset="mine", synthetic=True).runs] == [
            experiment
        ]
        path.write_text(path.read_text().replace(old, new))
        runs = find_runs(tmp_path, dataset="mine", synthetic=True)
        assert not runs.runs
        assert f"{path} is not the file that the result of the run tells of" in dict(runs.faults).values()
    assert set(damaged_runs(tmp_path)) == {"history/0/0", "config/0/0"}


def test_a_damaged_run_of_action_units_is_named_on_the_page(tmp_path):
    folder = tmp_path / "runs" / "au" / "0" / "0"
    predictions = AuPredictions(
        units=("au01",),
        sample_ids=["a"],
        clip_ids=["a"],
        subject_ids=[None],
        labels=np.array([[1]], np.int8),
        probabilities=np.array([[0.75]], np.float32),
    )
    details = {"dataset": "mine", "synthetic": True, "recipe": "au", "manifest_digest": "0"}

    def write():
        about = {"config": {"a": 1}, "device": "cpu", "details": details, "card": lambda _: "card"}
        write_au_run(folder, predictions, **about)
        (actual,) = find_runs(tmp_path, dataset="mine", synthetic=True).units
        assert actual.key == "au/0/0"

    for name, (old, new) in {
        "config.yaml": ("a: 1", "a: 3"),
        "README.md": ("card", "cart"),
        "au_result.json": ('"cpu"', '"gpu"'),
    }.items():
        write()
        path = folder / name
        path.write_text(path.read_text().replace(old, new))
        actual = find_runs(tmp_path, dataset="mine", synthetic=True)
        assert not actual.units
        assert [key for key, fault in actual.faults if name in fault] == ["au/0/0"]


@pytest.mark.slow
def test_the_commands_name_it_and_show_the_others(tmp_path):
    test = write_data(tmp_path, clips={"test": 33}, images_per_clip=1, copies={}, frames=1)["image"]
    bad = write_fake_run(tmp_path, "bad", method="AU+CNN", shown=test)
    write_fake_run(tmp_path, "good", method="LBP+SVM", shown=test)
    replaced(bad, "[]")
    work = ["--workdir", str(tmp_path)]
    output = CliRunner().invoke(app, ["report", "--table", "II", *work])
    assert output.exit_code == 0, output.output
    assert f"left out {bad.parents[1].parent}/bad/0/0: {bad}/result.json is damaged" in output.output
    assert "LBP+SVM" in output.stdout
    board = CliRunner().invoke(app, ["leaderboard", *work])
    assert board.exit_code == 0, board.output
    assert "good" in board.stdout
    named = CliRunner().invoke(app, ["compare", "bad", "good", *work])
    assert named.exit_code == 7


@pytest.mark.slow
def test_a_figure_that_cannot_be_made_does_not_keep_the_others_from_it(tmp_path, monkeypatch):
    test = write_data(tmp_path, clips={"test": 33}, images_per_clip=1, copies={}, frames=1)["image"]
    folder = write_fake_run(tmp_path, "msau", method="MSAU-Net (Ours)", shown=test)
    (folder / "regions.parquet").write_text("x")
    monkeypatch.setattr(plugins, "names", lambda kind: ["figure6"] if "figures" in kind else ["table2"])
    done = CliRunner().invoke(app, ["report", "--workdir", str(tmp_path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 7
    assert "left out figure6: " in done.stderr
    assert "1 of 2 tables and figures could not be made: figure6" in done.stderr
    assert (tmp_path / "out" / "table2.md").is_file()
