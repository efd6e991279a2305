"""Unreadable clips of the test list stay in the denominator; clips that were never settled do not."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench import records
from fgbench.config import PrepareConfig, TrainClipConfig, load_training
from fgbench.preparation import prepare
from fgbench.reports.run.scores import scores_table
from fgbench.runs.context import RunContext
from fgbench.runs.coverage import coverage, missing_reasons
from fgbench.runs.labels import LabelSet
from fgbench.runs.lost_clips import lost_samples
from fgbench.runs.predictions import Predictions
from fgbench.runs.results import read_result, write_run
from fgbench.runs.roles import predictions_of
from fgbench.runs.samples import clip_samples, image_samples
from fgbench.storage import read_rows
from tests.support.clip_folders import write_plain_clip
from tests.support.tiny_manifests import write_faces

PARTS = {"t0": "train", "t1": "train", "v0": "val", "e0": "test", "e1": "test", "broken": "test"}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Six clips; of the three of the official test list, one lacks its end. One of training is empty."""
    folder = tmp_path_factory.mktemp("lost")
    root = folder / "in"
    lines = ["clip,label,key_frame,subject,split"]
    for seed, (name, part) in enumerate(PARTS.items()):
        write_plain_clip(root / "videos" / f"{name}.mp4", 8, seed=seed)
        lines.append(f"{name}.mp4,anger,4,s-{name},{part}")
    broken = root / "videos" / "broken.mp4"
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    (root / "videos" / "empty.mp4").write_bytes(b"")
    lines.append("empty.mp4,anger,4,s-empty,train")
    (root / "annotations.csv").write_text("\n".join(lines) + "\n")
    whole = {"align": "never", "chip_size": 96}
    config = PrepareConfig.model_validate({"name": "test", "buckets": 2, "faces": whole})
    prepare.run(config, root, folder / "work")
    return folder / "work"


def context_of(work, **changes):
    return RunContext(
        workdir=work,
        manifest_digest="m",
        details={"dataset": "test", "synthetic": True},
        seed=0,
        resume=True,
        force=False,
        jobs=1,
        progress=lambda name, done, of: None,
        labels=LabelSet(name="one", labels=("anger",)),
        **changes,
    )


@pytest.mark.slow
def test_rejects_keep_their_class_and_part(work):
    rows = {row["id"]: row for row in read_rows(work / "manifests" / "rejects.parquet")}
    assert {
        name: (row["stage"], row["label"], row["split"], row["subject_id"]) for name, row in rows.items()
    } == {
        "broken": ("ingest", "anger", "test", "s-broken"),
        "empty": ("ingest", "anger", "train", "s-empty"),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("read", "expected"), [(clip_samples, {"broken"}), (image_samples, {"broken-f00004"})]
)
def test_a_broken_test_clip_is_a_sample_without_prediction(work, read, expected):
    context = context_of(work)
    samples = read(context.manifests)
    roles = context.roles(samples, protocol_name="test")
    lost = {sample.sample_id for sample in roles.test} - {sample.sample_id for sample in roles.predicted}
    assert lost == expected
    assert {sample.clip_id for sample in roles.test} == {"e0", "e1", "broken"}
    assert "empty" not in {sample.clip_id for sample in (*roles.train, *roles.test)}


def run_of(work):
    context = context_of(work)
    roles = context.roles(clip_samples(context.manifests), protocol_name="test")
    sure = np.ones((len(roles.predicted), 1), np.float32)
    actual = predictions_of(roles, sure, sure, ["anger"])
    return actual, write_run(
        work,
        actual,
        experiment="sure",
        fold="0",
        seed=0,
        config={"name": "sure", "tuned_on_test": True},
        manifest_digest="m",
        device="cpu",
        details=context.details,
    )


@pytest.mark.slow
def test_scores_coverage_result_and_table_count_it(work):
    actual, folder = run_of(work)
    result = read_result(folder)
    assert (result["metrics"]["n"], result["metrics"]["n_missing"]) == (3, 1)
    assert result["metrics"]["uar"] == pytest.approx(2 / 3)
    (reason,) = result["rejected_test"]
    assert reason.startswith("ingest ")
    assert result["rejected_test"][reason] == 1
    assert coverage(actual).share == pytest.approx(2 / 3)
    assert missing_reasons(actual, work / "manifests") == {reason: 1}
    notes = scores_table(folder).notes
    assert any("1 of 3 samples have no prediction" in note for note in notes)
    message = f"sure: 1 test samples are of clips that could not be read ({reason} 1)"
    assert any(note.startswith(message) for note in notes)


@pytest.mark.slow
def test_a_run_with_settings_sought_on_test_is_named_in_tables(work):
    _, folder = run_of(work)
    assert read_result(folder)["tuned_on_test"] is True
    notes = scores_table(folder).notes
    assert any(note.startswith("sure: settings were sought with test samples") for note in notes)
    assert json.loads((folder / "result.json").read_text())["tuned_on_test"] is True


@pytest.mark.slow
def test_parts_test_the_lost_clips_of_the_test_list_alone(work):
    samples = clip_samples(work / "manifests")
    assert [one.clip_id for one in lost_samples(work / "manifests", samples)] == ["broken", "empty"]
    for fold in ("0", None):
        lost = context_of(work).lost_tests(samples, fold=fold)
        assert [sample.clip_id for sample in lost] == ["broken"]


def test_manifests_without_rejects_have_no_lost_samples(tmp_path):
    assert lost_samples(tmp_path, ()) == []


def test_the_recipe_that_was_sought_on_test_says_so():
    tuned = {
        name: load_training(name, TrainClipConfig).tuned_on_test
        for name in ("plain-tsnet-small", "tmsau-small")
    }
    assert tuned == {"plain-tsnet-small": True, "tmsau-small": False}


def test_a_test_clip_whose_features_failed_is_told_in_the_runs_that_lack_them(tmp_path):
    """Two images of clip ``b`` have no prediction; of ``c``, another run's features are lacking."""
    manifests = tmp_path / "manifests"
    rows = [{"clip_id": clip, "frame_index": n} for clip in "abc" for n in (0, 1)]
    clips = [{"clip_id": clip, "label": "anger", "split": "test"} for clip in "abc"]
    write_faces(
        manifests, [{key: row[key] for key in ("clip_id", "frame_index")} | {"status": "ok"} for row in rows]
    )
    pq.write_table(pa.Table.from_pylist(clips, records.schema("clips")), manifests / "clips.parquet")
    rejects = [
        {"id": "b", "stage": "lbp", "reason": "internal_error", "label": "anger", "split": "test"},
        {"id": "b", "stage": "mine", "reason": "too_dark", "label": "anger", "split": "test"},
        {"id": "c", "stage": "optical_flow", "reason": "too_short", "label": "anger", "split": "test"},
        {"id": "gone", "stage": "consensus", "reason": "no_majority", "label": "anger", "split": "test"},
    ]
    others = dict.fromkeys(("detail", "subject_id", "source_id", "key_frame"))
    pq.write_table(
        pa.Table.from_pylist([{**row, **others} for row in rejects]), manifests / "rejects.parquet"
    )
    names = [f"{row['clip_id']}-f{row['frame_index']:05d}" for row in rows]
    predicted = ["anger", "fear", None, None, "anger", None]
    made = Predictions(
        classes=("anger", "fear"),
        sample_ids=names,
        clip_ids=[row["clip_id"] for row in rows],
        subject_ids=[None] * 6,
        source_ids=[None] * 6,
        labels=["anger"] * 6,
        predicted=predicted,
        probabilities=np.full((6, 2), 0.5, np.float32),
    )
    folder = write_run(
        tmp_path,
        made,
        experiment="sure",
        fold="0",
        seed=0,
        config={"name": "sure"},
        manifest_digest="m",
        device="cpu",
        details={"dataset": "test", "synthetic": True},
    )
    reason = "lbp internal_error or mine too_dark"
    counted = {reason: 2, "optical_flow too_short": 1}
    assert read_result(folder)["rejected_test"] == counted
    assert missing_reasons(made, manifests) == counted
    (note,) = (note for note in scores_table(folder).notes if "features" in note)
    assert note == (
        f"sure: 3 test samples are of clips whose features are lacking ({reason} 2, "
        "optical_flow too_short 1); they count as wrong."
    )
