"""Detectors of action units on several data sets together: units and people of both, known clips."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.metrics import f1_score

from fgbench.errors import ConfigError, DatasetError
from fgbench.inference.unit_test import evaluate_units
from fgbench.inference.unit_transfer import evaluate_units_elsewhere
from fgbench.methods._networks.overlap import clips_trained_on, refuse_overlap
from fgbench.methods.action_units import run as au_run
from fgbench.methods.action_units.frames import UnitData, labelled_frames
from fgbench.methods.steps import units
from fgbench.reports.run.unit_scores import au_table
from fgbench.runs.division import Division
from fgbench.runs.unit_results import read_au_result
from fgbench.runs.weights import read_trained
from tests.support.tiny_work import SUBJECTS, UNITS, au_recipe, au_rows, context_in, pictures_of, small_work

OWN = {"one": ("au04", "au12"), "two": ("au12", "au25")}
"""Units that each data set annotates; ``au12`` is in both."""

QUICK = {"optimiser": {"epochs": 1, "batch": 8}}
LEARNED = {
    "name": "au-learned",
    "optimiser": {"kind": "adamw", "learning_rate": 0.01, "batch": 8, "epochs": 6},
}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two data sets of the same clip ids and persons' names; files and labels differ."""
    folder = tmp_path_factory.mktemp("several")
    actual = []
    for number, name in enumerate(OWN):
        manifests = small_work(folder / f"made-{name}", rest=False)
        path = manifests / "clips.parquet"
        table = pq.read_table(path)
        rows = [{**row, "sha256": f"{number}{at:063x}"} for at, row in enumerate(table.to_pylist())]
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
        context = context_in(
            folder / name, manifests, manifest_digest=name, details={"dataset": name, "synthetic": True}
        )
        reported = [annotated(row, OWN[name]) for row in au_rows(manifests)]
        actual.append(UnitData(context=context, rows=reported, people=f"reader-{name}"))
    return actual


def annotated(row, units):
    """``au25`` is shown where ``au04`` is."""
    shown = {**row.labels, "au25": row.labels["au04"]}
    return replace(row, labels={name: shown[name] for name in units})


def run(data, *, folds=0, **changes):
    first, *others = data
    return au_run.run(
        au_recipe(**(QUICK | changes)),
        first.context,
        first.rows,
        folds=folds,
        people=first.people,
        others=others,
    )


def rows_of(folder):
    return pq.read_table(folder / "au_predictions.parquet").to_pylist()


@pytest.mark.slow
def test_frames_of_both_with_the_units_of_each(data):
    frames = labelled_frames(au_recipe(), data, divided=True)
    n = len(frames) // 2
    assert len(set(frames.sample_ids)) == len(frames) == 2 * n
    assert [name.split("/")[0] for name in frames.sample_ids] == ["one"] * n + ["two"] * n
    assert (frames.labels[:n, UNITS.index("au25")] == 0).all(), "not annotated, so masked"
    assert (frames.labels[n:, UNITS.index("au04")] == 0).all()
    assert all((frames.labels[part, 1] != 0).any() for part in (slice(n), slice(n, None)))
    chosen = [2, n + 1, 0, 2 * n - 1, n]
    opened = frames.take(chosen).open(data[0].context, au_recipe())
    (batch,) = opened.images.batches(epoch=0, seed=0, batch=99, shuffle=False)
    for image, context, folder in zip(batch.images, chosen, (0, 1, 0, 1, 1), strict=True):
        name = frames.sample_ids[context].split("/")[1]
        assert torch.equal(image.float(), pictures_of(data[folder].context.manifests, [name])[0])


def test_files_that_one_trains_on_and_another_tests_are_refused(data, tmp_path):
    """E.g. one data set prepared twice, with other parts."""
    first, second = data
    context = context_in(tmp_path / "again", first.context.manifests, details=second.context.details)
    path = context.manifests / "clips.parquet"
    table = pq.read_table(path)
    other = {"train": "test", "test": "train", "val": "val"}
    rows = [{**row, "split": other[row["split"]]} for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    again = UnitData(context=context, rows=second.rows, people=second.people)
    n_files = 3 * sum(len(SUBJECTS[part]) for part in ("train", "test"))  # one has no face
    with pytest.raises(
        ConfigError, match=rf"^{n_files} files that one of one, two tests are trained on in an"
    ):
        run([first, again])
    assert not (first.context.workdir / "runs/au-tiny-one-two/0/0/weights.safetensors").exists()


@pytest.mark.slow
def test_one_network_is_trained_and_scored_on_both(data):
    (folder,) = run(data, **LEARNED)
    assert folder == data[0].context.workdir / "runs" / "au-learned-one-two" / "0" / "0"
    result, rows = read_au_result(folder), rows_of(folder)
    details = result["details"]
    assert details["dataset"] == "one and two"
    assert details["datasets"] == {"one": "one", "two": "two"}
    assert details["n_train"] == 24
    assert {row["subject_id"] for row in rows} == {
        f"reader-{name}/{subject}" for name in OWN for subject in SUBJECTS["test"]
    }
    truth, reported = (np.array([row[key] for row in rows]) for key in ("labels", "probabilities"))
    for at, score in enumerate(result["units"]):
        there = truth[:, at] != 0
        expected = f1_score(truth[there, at] == 1, reported[there, at] >= 0.5)
        assert score["f1"] == pytest.approx(expected), "every unit is labelled in one of them"
    table = au_table([folder])
    assert "one and two" in table.title
    assert [row[0] for row in table.rows] == ["AU4", "AU12", "AU25", "mean"]

    before = (folder / "weights.safetensors").stat().st_mtime_ns
    assert run(data, **LEARNED) == [folder]
    assert (folder / "weights.safetensors").stat().st_mtime_ns == before
    changed = replace(data[1], context=replace(data[1].context, manifest_digest="other"))
    run([data[0], changed], **LEARNED)
    assert read_au_result(folder)["details"]["datasets"] == {"one": "one", "two": "other"}
    trained = read_trained(folder / "weights.safetensors")
    for positions in ([data[0].context, changed.context], [changed.context, data[0].context]):
        anew = evaluate_units(trained, positions)
        assert anew.largest_difference == 0
        assert anew.predictions.sample_ids == [row["sample_id"] for row in rows]
    with pytest.raises(ConfigError, match="scored on other manifests of two than"):
        evaluate_units(trained, [data[0].context, data[1].context])
    with pytest.raises(ConfigError, match=r"scored on one, two, expected a work folder of each, got one"):
        evaluate_units(trained, [data[0].context])


@pytest.mark.slow
def test_nobody_of_either_is_in_two_folds_and_what_was_trained_on_is_known(data):
    folders = run(data, folds=3)
    assert [folder.parent.name for folder in folders] == ["1of3", "2of3", "3of3"]
    tested = [{row["subject_id"] for row in rows_of(folder)} for folder in folders]
    everyone = {f"reader-{name}/{one}" for name in OWN for part in SUBJECTS.values() for one in part}
    assert sorted(one for fold in tested for one in fold) == sorted(everyone), "each once"
    for folder, unseen in zip(folders, tested, strict=True):
        trained = read_trained(folder / "weights.safetensors")
        for one in data:  # also in the second work folder, where the run does not lie
            clips = pq.read_table(one.context.manifests / "clips.parquet").to_pylist()
            seen = sum(
                f"{one.people}/{row['subject_id']}" not in unseen and row["split"] == "test" for row in clips
            )
            # The frame without a face is of a clip that nothing was trained on.
            expected = seen - any(
                row["clip_id"] == "clip024" and f"{one.people}/{row['subject_id']}" not in unseen
                for row in clips
            )
            assert clips_trained_on(trained, one.context, fold="0") == expected
            if expected:
                with pytest.raises(ConfigError, match=f"trained on {expected} of the test clips"):
                    refuse_overlap(trained, one.context)


def test_work_folders_that_cannot_be_taken_together(data):
    again = replace(data[1], context=replace(data[1].context, details=data[0].context.details))
    with pytest.raises(ConfigError, match=r"several work folders of one data set \(one, one\)"):
        run([data[0], again])
    folded = replace(data[1], context=replace(data[1].context, division=Division(n_folds=2)))
    with pytest.raises(ConfigError, match="two is divided into folds of its own") as error:
        run([data[0], folded])
    assert "--folds 3" in error.value.hint


@pytest.mark.slow
def test_the_command_takes_several_work_folders(data, monkeypatch):
    by_folder = {one.context.workdir: one for one in data}
    monkeypatch.setattr(units, "unit_data", lambda context: by_folder[context.workdir])
    messages = []
    context = replace(data[0].context, note=messages.append)
    (folder,) = units.train_units_in(au_recipe(**QUICK), context, others=[data[1].context])
    assert folder.parts[-3] == "au-tiny-one-two"
    assert re.search(r"recipe au-tiny on one in .*one and two in .*two, cpu", messages[0])


@pytest.mark.slow
@pytest.mark.parametrize("is_folded", [False, True])
def test_on_other_data_clips_that_were_trained_on_are_counted(data, tmp_path, is_folded):
    """The third data set has files of the first; what trained there is tested here."""
    (folder,) = run(data)
    trained = read_trained(folder / "weights.safetensors")
    source = data[0].context.manifests
    changes = {"manifest_digest": "three", "details": {"dataset": "three", "synthetic": True}}
    clips = pq.read_table(source / "clips.parquet")
    if is_folded:
        ids = clips.column("clip_id").to_pylist()
        folds = {name: str(1 + number % 2) for number, name in enumerate(ids)}
        changes |= {"division": Division(name="2-fold", n_folds=2, fold_of=folds), "fold": "1"}
    context = context_in(tmp_path, source, **changes)
    if not is_folded:
        rows = [
            {**row, "split": {"train": "test", "test": "train"}.get(row["split"])}
            for row in clips.to_pylist()
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=clips.schema), context.manifests / "clips.parquet")
    rows = [replace(row, labels={"au12": row.labels["au12"], "au07": 1}) for row in data[0].rows]
    actual = evaluate_units_elsewhere(trained, UnitData(context=context, rows=rows, people="reader-three"))
    assert actual == tmp_path / "runs" / "au-tiny-one-two-on-three" / "0" / "0"
    result, predicted = read_au_result(actual), rows_of(actual)
    n_frames = 24 if is_folded else 12
    assert (result["n"], len(predicted)) == (n_frames, n_frames)
    assert result["details"]["clips_trained_on"] == (18 if is_folded else 12)
    assert [score["f1"] is None for score in result["units"]] == [True, False, True]
    own = {row["sample_id"]: row["probabilities"] for row in rows_of(folder)}
    same = [row for row in predicted if f"one/{row['sample_id']}" in own]
    assert len(same) == (6 if is_folded else 0)
    for row in same:
        np.testing.assert_allclose(row["probabilities"], own[f"one/{row['sample_id']}"], atol=1e-6)
    (count,) = [note for note in au_table([actual]).notes if "trained or selected on" in note]
    assert f"{n_frames} frames" in count
    bare = [replace(row, labels={"au07": 1}) for row in rows]
    with pytest.raises(DatasetError, match=r"none of the \d+ test frames of .* is labelled for one"):
        evaluate_units_elsewhere(trained, UnitData(context=context, rows=bare, people="reader-three"))
