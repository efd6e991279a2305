"""Runs of action units with a tiny network: scores, folds by person, finished and killed runs, errors."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import f1_score, precision_score, recall_score

from fgbench import plugins
from fgbench.errors import ConfigError, DatasetError
from fgbench.inputs.manifest_pictures import image_ids
from fgbench.methods.action_units import run as au_run
from fgbench.methods.steps.units import train_units_in
from fgbench.models.drml import AuNet, Embedding, Trunk
from fgbench.models.weights import load_weights
from fgbench.reports.run.unit_scores import au_table, scored_table
from fgbench.runs.unit_results import read_au_predictions, read_au_result
from tests.support.tiny_work import (
    NEVER,
    SUBJECTS,
    UNITS,
    au_recipe,
    au_rows,
    context_in,
    pictures_of,
    seen,
    small_work,
)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return small_work(tmp_path_factory.mktemp("work"), rest=False)


@pytest.fixture
def context(tmp_path, manifests):
    return context_in(tmp_path / "work", manifests)


@pytest.fixture
def trained(monkeypatch):
    """Roles of every training, as the task got them."""
    actual = []
    task = au_run.AuTask

    def recording(*arguments, train, selection, **more):
        actual.append({"train": set(train.subject_ids), "val": set(selection.subject_ids)})
        return task(*arguments, train=train, selection=selection, **more)

    monkeypatch.setattr(au_run, "AuTask", recording)
    return actual


def people_note(folder):
    return au_table([folder]).notes[0]


@pytest.mark.slow
def test_persons_who_are_in_training_and_test_are_told(tmp_path, manifests):
    """Once, all were said not to have been trained on, whatever the parts were divided by."""
    context = context_in(tmp_path / "work", manifests)
    (folder,) = au_run.run(au_recipe(), context, au_rows(manifests))
    assert people_note(folder) == "6 frames of 2 subjects, none of whom was trained on"
    path = context.manifests / "clips.parquet"
    clips = pq.read_table(path)
    known = clips["subject_id"].to_pylist()
    for change, expected in (
        ({"s6": "s0"}, "6 frames of 2 subjects, 1 of whom trained on or selected on too"),
        ({"s7": None}, "6 frames of unknown subjects, of whom it is not known whether they were trained on"),
        ({"s1": None}, "6 frames of 2 subjects, of whom it is not known whether they were trained on"),
    ):
        column = pa.array([change.get(name, name) for name in known], pa.string())
        at = clips.schema.get_field_index("subject_id")
        pq.write_table(clips.set_column(at, clips.schema.field(at), column), path)
        (folder,) = au_run.run(au_recipe(), replace(context, force=True), au_rows(context.manifests))
        assert people_note(folder) == expected


@pytest.mark.slow
def test_of_runs_of_earlier_versions_it_is_not_known_who_was_trained_on(context):
    (folder,) = au_run.run(au_recipe(), context, au_rows(context.manifests))
    details = {key: value for key, value in read_au_result(folder)["details"].items() if "people" not in key}
    table = scored_table("au-tiny", [read_au_predictions(folder)], details)
    assert table.notes[0].endswith("of whom it is not known whether they were trained on")


def frames_of(folder):
    return pq.read_table(folder / "au_predictions.parquet").to_pylist()


@pytest.mark.slow
def test_a_run_has_weights_that_give_its_predictions_and_scores(context, trained):
    optimiser = {"kind": "adamw", "learning_rate": 0.01, "batch": 4, "epochs": 12}
    config = au_recipe(optimiser=optimiser, dropout=0.0, embedding=16)
    (folder,) = au_run.run(config, context, au_rows(context.manifests))
    assert folder == context.workdir / "runs" / "au-tiny" / "0" / "0"
    assert trained == [{"train": set(SUBJECTS["train"]), "val": set(SUBJECTS["val"])}]

    state, metadata = load_weights(folder / "weights.safetensors")
    assert (metadata["kind"], metadata["action_units"]) == ("au", list(UNITS))
    train_ids = [name for name in sorted(image_ids(context.manifests)) if int(name[4:7]) < 12]
    train = pictures_of(context.manifests, train_ids).double()
    np.testing.assert_allclose(metadata["mean"], train.mean((0, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(metadata["std"], train.std((0, 2, 3), unbiased=False), rtol=1e-9)

    rows = frames_of(folder)
    assert {row["subject_id"] for row in rows} == set(SUBJECTS["test"])
    assert len(rows) == 6, "the frame without a face is not scored"
    model = AuNet(
        Trunk(config.trunk), Embedding(8, fc_hidden=None, embedding=16, dropout=0.0), n_action_units=3
    )
    model.load_state_dict(state)
    faces = pictures_of(context.manifests, [row["sample_id"] for row in rows])
    with torch.no_grad():
        expected = model.eval()(seen(faces, metadata)).sigmoid()
    actual = np.array([row["probabilities"] for row in rows])
    np.testing.assert_allclose(actual, expected, atol=1e-5)

    result = read_au_result(folder)
    truth = np.array([row["labels"] for row in rows])
    assert (truth[:, 1] == 0).any(), "some frames are not labelled"
    f1 = []
    for at, score in enumerate(result["units"]):
        labelled = truth[:, at] != 0
        says, holds = actual[labelled, at] >= 0.5, truth[labelled, at] == 1
        assert (score["name"], score["n_positive"]) == (UNITS[at], holds.sum())
        assert score["n_negative"] == labelled.sum() - holds.sum()
        if UNITS[at] == NEVER:
            assert score["f1"] is None
            assert score["recall"] is None
            continue
        assert score["f1"] == pytest.approx(f1_score(holds, says))
        assert score["precision"] == pytest.approx(precision_score(holds, says))
        assert score["recall"] == pytest.approx(recall_score(holds, says))
        f1.append(score["f1"])
    assert result["mean_f1"] == pytest.approx(sum(f1) / 2)
    assert result["mean_f1"] > 0.8, "colours are told apart"
    assert result["n"] == 6
    assert {key: result["details"][key] for key in ("n_train", "n_selection", "dataset", "synthetic")} == {
        "n_train": 12,
        "n_selection": 6,
        "dataset": "made up",
        "synthetic": True,
    }

    epochs = json.loads((folder / "history.json").read_text())["epochs"]
    assert len(epochs) == 12
    assert any((folder / "log").iterdir())
    assert not (folder / "checkpoint.pt").exists()
    card = (folder / "README.md").read_text()
    for part in ("au04, au12, au25", "SYNTHETIC", f"mean F1 {result['mean_f1']:.3f}, 6 frames"):
        assert part in card


@pytest.mark.slow
def test_no_person_is_in_two_roles_of_a_fold(context, trained):
    config = au_recipe(optimiser={"epochs": 1, "batch": 8})
    folders = au_run.run(config, context, au_rows(context.manifests), folds=3)
    assert [folder.parent.name for folder in folders] == ["1of3", "2of3", "3of3"]
    everyone = {subject for subjects in SUBJECTS.values() for subject in subjects}
    tested = [{row["subject_id"] for row in frames_of(folder)} for folder in folders]
    for roles, test in zip(trained, tested, strict=True):
        assert roles["train"]
        assert roles["val"]
        assert test
        assert roles["train"] | roles["val"] | test == everyone
        assert len(roles["train"]) + len(roles["val"]) + len(test) == len(everyone)
    assert sorted(subject for test in tested for subject in test) == sorted(everyone)
    actual = sorted(row["sample_id"] for folder in folders for row in frames_of(folder))
    assert actual == sorted(image_ids(context.manifests)), "every frame is tested once"
    for folder in folders:
        assert load_weights(folder / "weights.safetensors")[1]["fold"] == folder.parent.name
    au_run.run(config, context, au_rows(context.manifests), folds=3)
    assert len(trained) == 3


@pytest.mark.slow
def test_a_finished_run_is_taken_as_it_is(context, trained):
    once = {"optimiser": {"epochs": 1, "batch": 5}}
    rows = au_rows(context.manifests)
    (folder,) = au_run.run(au_recipe(**once), context, rows)
    path = folder / "weights.safetensors"
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert au_run.run(au_recipe(**once), context, list(reversed(rows))) == [folder]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert len(trained) == 1

    au_run.run(au_recipe(**once), replace(context, force=True), rows)
    assert len(trained) == 2
    assert path.read_bytes() == before[0], "the same seed gives the same weights"
    assert path.stat().st_mtime_ns > before[1]

    path.unlink()
    au_run.run(au_recipe(**once), context, rows)
    assert path.read_bytes() == before[0]
    assert len(trained) == 3
    damaged, messages = bytearray(before[0]), []
    damaged[-9] ^= 1
    path.write_bytes(damaged)
    au_run.run(au_recipe(**once), replace(context, note=messages.append), rows)
    assert path.read_bytes() == before[0]
    assert messages[0] == f"{path} is not the file that the result of the run tells of: the run is made again"
    assert all(line.startswith(("epoch ", "kept epoch ")) for line in messages[1:])
    assert len(trained) == 4
    with pytest.raises(ConfigError, match=r"other settings: embedding \(8 there, 4 here\)"):
        au_run.run(au_recipe(embedding=4, **once), context, rows)
    assert path.read_bytes() == before[0]
    au_run.run(au_recipe(embedding=4, **once), replace(context, force=True), rows)
    au_run.run(au_recipe(embedding=4, **once), replace(context, manifest_digest="n"), rows)
    changed = [replace(rows[0], labels={"au04": 0}), *rows[1:]]
    au_run.run(au_recipe(embedding=4, **once), replace(context, manifest_digest="n"), changed)
    assert len(trained) == 7
    other = au_run.run(au_recipe(embedding=4, **once), context.with_seed(1), rows)
    assert other != [folder]


class KilledError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("step", [4, 7])
def test_a_killed_run_goes_on_and_ends_the_same(context, manifests, tmp_path, step):
    config = au_recipe(
        optimiser={"kind": "adamw", "learning_rate": 0.003, "batch": 4, "epochs": 3, "checkpoint_steps": 2}
    )
    rows = au_rows(manifests)
    (whole,) = au_run.run(config, context, rows)
    messages = []

    def killed(name, done, of):
        if name == "train" and done == step:
            raise KilledError

    other = context_in(tmp_path / "killed", manifests, progress=killed)
    with pytest.raises(KilledError):
        au_run.run(config, other, rows)
    folder = other.folder("au-tiny")
    assert (folder / "checkpoint.pt").is_file()
    assert not (folder / "au_result.json").exists()
    assert au_run.find_weights(folder) is None
    resumed = replace(
        other, progress=lambda name, done, of: messages.append(done) if name == "train" else None
    )
    assert au_run.run(config, resumed, rows) == [folder]
    assert messages[0] > 2, "what was kept is not done again"
    for name in ("weights.safetensors", "au_predictions.parquet"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    assert au_run.find_weights(folder) == folder / "weights.safetensors"


@pytest.mark.slow
def test_frames_between_steps_are_left_out(context):
    (folder,) = au_run.run(
        au_recipe(frame_step=2, optimiser={"epochs": 1}), context, au_rows(context.manifests)
    )
    numbers = [int(row["sample_id"].partition("-f")[2]) for row in frames_of(folder)]
    assert numbers == [54, 60, 66]


def test_without_labels_there_is_an_error(context, monkeypatch):
    with pytest.raises(DatasetError, match="no frame has both labels of action units and a usable face"):
        au_run.run(au_recipe(), context, [])
    unseen = [row for row in au_rows(context.manifests) if row.clip_id == "clip024"]
    assert len(unseen) == 1
    with pytest.raises(DatasetError, match="no frame has both"):
        au_run.run(au_recipe(), context, unseen)

    class Bare:
        """An adapter without labels of action units."""

    monkeypatch.setattr(plugins, "load", lambda kind, name: Bare)
    with pytest.raises(DatasetError, match="has no labels of action units") as error:
        train_units_in(au_recipe(), context)
    assert "--au-weights" in error.value.hint
    assert not (context.workdir / "runs").exists()


def test_too_few_persons_for_the_folds(context):
    with pytest.raises(DatasetError, match="8 subjects, expected at least 9"):
        au_run.run(au_recipe(), context, au_rows(context.manifests), folds=9)
