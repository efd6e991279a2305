"""Readings of runs: what counts as one, as one configuration, and as the same test labels."""

import json
import logging

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fgbench
from fgbench.runs.ledger.chain import read_ledger
from fgbench.runs.ledger.counts import count_readings, reading_notes
from fgbench.runs.ledger.entries import UNITS, configuration
from fgbench.runs.ledger.missing import enter_lacking, ledger_faults
from fgbench.runs.results import read_result
from fgbench.runs.unit_results import AuPredictions, write_au_run
from fgbench.workfolders.sealed_json import read_sealed, write_sealed
from tests.support.outside_work import folds, score, write_rows
from tests.support.plain_ledger import is_chain, rows
from tests.support.report_folders import samples, write_fake_run, write_manifests


def faults(work):
    return ledger_faults(work, read_ledger(work))


def run(work, name="msau", **more):
    return write_fake_run(work, name, method="MSAU-Net (Ours)", **more)


@pytest.fixture
def work(tmp_path):
    write_manifests(tmp_path, samples())
    return tmp_path


def counted(work):
    counts = count_readings(work)
    return counts.readings, counts.configurations


def of_before(folder):
    """Make a run look as if a version without a ledger had written it."""
    path = folder / "result.json"
    content = {key: value for key, value in read_sealed(path).items() if key != "in_ledger"}
    write_sealed(path, content)


def test_a_run_is_a_reading_with_what_identifies_it(work):
    folder = run(work)
    (row,) = rows(work)
    result = read_result(folder)
    assert row["run"] == "msau/0/0"
    assert row["kind"] == "classes"
    assert row["n"] == result["metrics"]["n"] == len(samples())
    assert row["predictions"] == result["predictions_sha256"]
    assert row["fgbench"] == fgbench.__version__
    assert row["parts"] == ["test"]
    assert row["command"].startswith("Python: ")
    assert result["in_ledger"] is True
    assert is_chain([row])
    assert faults(work) == []


def test_seeds_and_repetitions_are_readings_of_one_configuration(work):
    for seed in (0, 1, 2):
        run(work, seed=seed)
    run(work)
    assert counted(work) == (4, 1)
    write_fake_run(work, "lbp-svm", method="LBP+SVM")
    assert counted(work) == (5, 2)
    (note,) = reading_notes(work)
    assert note == f"Test part read 5 times by 2 configurations since {rows(work)[0]['time'][:10]}."


def test_results_do_not_depend_on_the_ledger(work, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    write_manifests(other, samples())
    run(other, seed=1)
    first, second = run(work), run(other)
    assert (first / "result.json").read_bytes() == (second / "result.json").read_bytes()
    assert rows(work)[-1]["number"] != rows(other)[-1]["number"]


def test_names_seeds_and_starts_of_one_experiment_are_one_configuration():
    plain = {"name": "a", "description": "x", "optimiser": {"epochs": 3}}
    details = {"method": "M", "start": {"run": "au/0/1", "sha256": "1"}, "trunk": "1"}
    one = configuration(plain, details, experiment="a")
    other = {"method": "M", "start": {"run": "au/0/2", "sha256": "2"}, "trunk": "2"}
    assert configuration({**plain, "name": "b", "description": ""}, other, experiment="b") == one
    for changed in (
        ({**plain, "optimiser": {"epochs": 4}}, details),
        (plain, {**details, "method": "N"}),
        (plain, {**details, "start": {"run": "big/0/1"}}),
        (plain, {**details, "trunk": None}),
    ):
        assert configuration(*changed, experiment="a") != one
    assert configuration({}, {}, experiment="a") != configuration({}, {}, experiment="b")


def test_other_test_labels_begin_a_new_count(work):
    run(work)
    path = work / "manifests" / "clips.parquet"
    table = pq.read_table(path)
    labels = table["label"].to_pylist()
    tested = [part == "test" for part in table["split"].to_pylist()]
    changed = labels[:]
    place = tested.index(True)
    changed[place] = next(label for label in labels if label != labels[place])
    column = table.schema.get_field_index("label")
    pq.write_table(table.set_column(column, "label", pa.array(changed)), path)
    assert counted(work) == (0, 0)
    assert reading_notes(work) == [
        "Test part not read with its labels of now, and 1 time with earlier test labels."
    ]
    run(work)
    assert counted(work) == (1, 1)
    assert reading_notes(work)[0].endswith(", and 1 time with earlier test labels.")
    pq.write_table(table, path)
    assert counted(work) == (1, 1), "the first labels are back, and their reading with them"


def test_action_units_are_counted_by_themselves(work):
    run(work)
    found = AuPredictions(
        units=("au04",),
        sample_ids=["a", "b"],
        clip_ids=["a", "b"],
        subject_ids=["s", "t"],
        labels=np.array([[1], [-1]], np.int8),
        probabilities=np.array([[0.9], [0.2]], np.float32),
    )
    details = {"dataset": "made up", "synthetic": True, "recipe": "au", "manifest_digest": "m"}
    folder = work / "runs" / "au" / "0" / "0"
    write_au_run(folder, found, config={"name": "au"}, device="cpu", details=details)
    assert counted(work) == (1, 1)
    units = count_readings(work, UNITS)
    assert (units.readings, units.configurations) == (1, 1)
    assert reading_notes(work, UNITS)[0].startswith("Test labels of action units read 1 time by 1 config")
    assert faults(work) == []


def test_every_fold_is_a_reading(tmp_path):
    truth = folds(tmp_path)
    rows_ = [{"clip_id": clip, "label": label} for clip, label in truth.labels.items()]
    score(write_rows(tmp_path / "other.csv", rows_), truth.work)
    for fold in ("1", "2", "3"):
        run(truth.work, fold=fold)
    assert counted(truth.work) == (4, 2)


def test_scores_of_another_program_are_readings_with_their_command(pictures, tmp_path):
    answers = [{"clip_id": clip, "label": label} for clip, label in pictures.labels.items()]
    path = write_rows(tmp_path / "theirs.csv", answers)
    score(path, pictures.work)
    score(path, pictures.work, "--name", "again")
    assert counted(pictures.work) == (2, 1), "the same file under another name"
    answers[0]["label"] = "anger" if answers[0]["label"] != "anger" else "sadness"
    score(write_rows(path, answers), pictures.work, "--force")
    assert counted(pictures.work) == (3, 2)
    commands = [row["command"] for row in rows(pictures.work)]
    assert commands[0] == f"fgbench score {path} --workdir {pictures.work} --json"
    assert commands[1].endswith("--name again")


def test_a_folder_of_before_begins_with_its_next_reading(work):
    for seed in (0, 1):
        of_before(run(work, seed=seed))
    for name in ("ledger.jsonl", ".ledger.json"):
        (work / name).unlink()
    assert reading_notes(work) == [
        "How often the test part was read is not known: ledger.jsonl begins with the next reading."
    ]
    assert faults(work) == []
    assert enter_lacking(work) == []
    write_fake_run(work, "lbp-svm", method="LBP+SVM")
    run(work)
    assert [row["earlier_runs"] for row in rows(work)] == [2, 0]
    assert counted(work) == (2, 2)
    assert reading_notes(work)[0].endswith("; readings of 2 runs made before are not known.")
    assert faults(work) == []


def test_a_run_that_is_replaced_first_is_one_of_before(work):
    of_before(run(work))
    for name in ("ledger.jsonl", ".ledger.json"):
        (work / name).unlink()
    run(work)
    assert rows(work)[0]["earlier_runs"] == 1


def test_runs_without_a_reading_are_named_and_entered_afterwards(work):
    run(work)
    run(work, seed=1)
    for name in ("ledger.jsonl", ".ledger.json"):
        (work / name).unlink()
    assert faults(work) == [
        f"runs/msau/0/{seed}: its reading of the test part is not in ledger.jsonl" for seed in (0, 1)
    ]
    assert enter_lacking(work) == ["msau/0/0", "msau/0/1"]
    assert [row["is_late"] for row in rows(work)] == [True, True]
    assert is_chain(rows(work))
    assert counted(work) == (2, 1)
    assert faults(work) == []
    assert enter_lacking(work) == []


def test_truncation_names_the_runs_too(work):
    run(work)
    run(work, seed=1)
    path = work / "ledger.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    (work / ".ledger.json").unlink()
    assert faults(work)[-1] == "runs/msau/0/1: its reading of the test part is not in ledger.jsonl"
    assert enter_lacking(work) == [], "nothing is entered into a broken ledger"
    assert len(rows(work)) == 1


@pytest.mark.parametrize("kind", ["link", "folder", "locked"])
def test_a_ledger_that_cannot_be_written_costs_no_run(work, kind, caplog, monkeypatch):
    path = work / "ledger.jsonl"
    if kind == "link":
        path.symlink_to(work / "nowhere")
    elif kind == "folder":
        path.mkdir()
    else:
        monkeypatch.setattr("fgbench.runs.ledger.chain._write", _refused)
    with caplog.at_level(logging.WARNING, logger="fgbench"):
        folder = run(work)
    monkeypatch.undo()
    assert read_result(folder)["in_ledger"] is True
    assert "msau/0/0: this reading of the test part is not in" in caplog.text
    assert faults(work)[-1] == "runs/msau/0/0: its reading of the test part is not in ledger.jsonl"
    if kind == "link":
        assert path.is_symlink()
        assert not (work / "nowhere").exists()


def _refused(*_, **__):
    raise PermissionError(13, "Permission denied")


def test_a_damaged_ledger_does_not_stop_tables(work):
    run(work)
    path = work / "ledger.jsonl"
    path.write_text(path.read_text().replace("msau", "lbp"))
    assert reading_notes(work)[0].endswith(
        "; ledger.jsonl is damaged, so that there may be more (fgbench check)."
    )
    path.write_bytes(b"\xff\xfe")
    assert "ledger.jsonl is damaged" in reading_notes(work)[0]
    path.unlink()
    path.mkdir()
    assert "ledger.jsonl is damaged" in reading_notes(work)[0]


def test_long_and_odd_commands_are_kept_short(work, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/home/me/\udcff" + "x" * 3000 + ".py"])
    run(work)
    command = rows(work)[0]["command"]
    assert command.startswith("Python: \\xff" + "x" * 100)
    assert len(command) == 1003
    assert is_chain(rows(work))


def test_python_has_the_ledger_as_a_table(pictures, tmp_path, caplog):
    assert fgbench.open(pictures.work).ledger.empty
    answers = [{"clip_id": clip, "label": label} for clip, label in pictures.labels.items()]
    score(write_rows(tmp_path / "theirs.csv", answers), pictures.work)
    ledger = fgbench.open(pictures.work).ledger
    assert ledger[["number", "run", "n"]].values.tolist() == [[1, "theirs/0/0", len(answers)]]
    assert ledger["hash"].tolist() == [rows(pictures.work)[0]["hash"]]
    path = pictures.work / "ledger.jsonl"
    row = json.loads(path.read_text())
    path.write_text(json.dumps(row | {"n": 1}) + "\n")
    with caplog.at_level(logging.WARNING, logger="fgbench"):
        assert fgbench.open(pictures.work).ledger["n"].tolist() == [1]
    assert "line 1 was edited" in caplog.text
