"""``fgbench prepare --drop-leaks``: leaking clips leave training and validation, and nothing else changes."""

import shutil

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from fgbench.api.changed_recipes import without_leaks
from fgbench.audit.leaks import audit_parts
from fgbench.cli.app import app
from fgbench.config import PrepareConfig
from fgbench.preparation import prepare
from fgbench.preparation.stages.publish import verify
from fgbench.runs.samples import image_samples
from fgbench.storage import read_rows
from tests.support.clip_folders import contents
from tests.support.video_files import write_clip

pytestmark = pytest.mark.slow

SIZE = (96, 96)
PARTS = {"t0": "train", "t1": "train", "t2": "train", "v0": "val", "v1": "val", "e0": "test", "e1": "test"}
LEAKS = {
    # clip: (part, clip that it copies, what was done to it)
    "flipped": ("train", "e0", lambda image: image[:, ::-1]),
    "darker": ("val", "e1", lambda image: (0.7 * image).astype(np.uint8)),
    "cropped": ("train", "v0", lambda image: cv2.resize(image[3:, 3:], SIZE)),
}


def pictures(seed, n_frames=8):
    """Smooth pictures, other ones for every seed, that change a little from frame to frame."""
    random = np.random.default_rng(seed)
    first, last = random.integers(0, 256, (2, 6, 6, 3), np.uint8).astype(np.float32)
    for number in range(n_frames):
        mixed = first + 0.02 * number * (last - first)
        yield cv2.resize(mixed, SIZE, interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


@pytest.fixture
def leaky(tmp_path):
    """Seven different clips, and three that are copies of others."""
    root = tmp_path / "in"
    (root / "videos").mkdir(parents=True)
    lines = ["clip,label,key_frame,subject,split"]
    seeds = {name: number for number, name in enumerate(PARTS)}
    for name, part in PARTS.items():
        write_clip(root / "videos" / f"{name}.mp4", size=SIZE, pictures=pictures(seeds[name]))
        lines.append(f"{name}.mp4,anger,4,s-{name},{part}")
    for name, (part, source, change) in LEAKS.items():
        frames = (np.ascontiguousarray(change(image)) for image in pictures(seeds[source]))
        write_clip(root / "videos" / f"{name}.mp4", size=SIZE, pictures=frames)
        lines.append(f"{name}.mp4,anger,4,s-{name},{part}")
    (root / "videos" / "same.mp4").write_bytes((root / "videos" / "e0.mp4").read_bytes())
    lines.append("same.mp4,anger,4,s-same,train")
    (root / "annotations.csv").write_text("\n".join(lines) + "\n")
    return root


def recipe(**sections):
    whole = {"align": "never", "chip_size": 96}
    return PrepareConfig.model_validate({"name": "test", "buckets": 4, "faces": whole, **sections})


def ids(work, name):
    return {
        row["clip_id"] for path in (work / "manifests" / name).glob("*.parquet") for row in read_rows(path)
    }


def test_leaking_clips_are_found_dropped_and_recorded(leaky, tmp_path):
    work = tmp_path / "work"
    config = recipe(optical_flow={"enabled": True, "size_px": 32})
    prepare.run(config, leaky, work)
    before = audit_parts(work)
    assert {(leak.kind, leak.first, leak.second) for leak in before.disallowed} >= {
        ("same_file", "same", "e0"),
        ("near_duplicate", "flipped", "e0"),
        ("near_duplicate", "darker", "e1"),
        ("near_duplicate", "cropped", "v0"),
    }
    dropping = without_leaks(config)
    report = prepare.run(dropping, leaky, work)
    gone = {"same", *LEAKS}
    rejects = {row["id"]: row for row in read_rows(work / "manifests" / "rejects.parquet")}
    assert {name: (row["stage"], row["reason"]) for name, row in rejects.items()} == {
        "same": ("audit", "same_file"),
        **dict.fromkeys(LEAKS, ("audit", "near_duplicate")),
    }
    assert rejects["darker"]["detail"].startswith("e1 in test: correlation ")
    clips = {row["clip_id"]: row["split"] for row in read_rows(work / "manifests" / "clips.parquet")}
    assert clips == PARTS
    for table in ("faces", "images", "features/lbp", "features/optical_flow"):
        assert ids(work, table) == set(PARTS), table
    assert not gone & {sample.clip_id for sample in image_samples(work / "manifests")}
    counts = {part: counts["clips"] for part, counts in report.counts.items()}
    assert counts == {"train": 3, "val": 2, "test": 2}
    assert verify(work) == []
    assert audit_parts(work).disallowed == []
    assert prepare.saved(work)[0].audit.drop_leaks
    assert prepare.preview(dropping, leaky, work).waiting == 0
    kept = contents(work)
    again = prepare.run(dropping, leaky, work)
    assert (again.done, again.published) == (0, False)
    assert contents(work) == kept


def test_without_the_option_they_come_back(leaky, tmp_path):
    work, fresh = tmp_path / "work", tmp_path / "fresh"
    prepare.run(without_leaks(recipe()), leaky, work)
    prepare.run(recipe(), leaky, work)
    prepare.run(recipe(), leaky, fresh)
    assert contents(work / "manifests") == contents(fresh / "manifests")


def test_totals_are_met_by_the_clips_that_stay(leaky, tmp_path):
    totals = {"balance": "total", "train": 60, "val": 0, "test": 0}
    report = prepare.run(without_leaks(recipe(augment=totals)), leaky, tmp_path / "work")
    assert report.counts["train"] == {"clips": 3, "images": 21, "augmented": 60}


def test_what_the_division_keeps_apart_is_dropped_too(leaky, tmp_path):
    annotations = (leaky / "annotations.csv").read_text().replace("s-t2", "s-e1")
    (leaky / "annotations.csv").write_text(annotations)
    config = recipe(split={"group_by": "subject_id"})
    prepare.run(without_leaks(config), leaky, tmp_path / "work")
    rejects = {row["id"]: row["reason"] for row in read_rows(tmp_path / "work/manifests/rejects.parquet")}
    assert rejects["t2"] == "same_subject"
    prepare.run(without_leaks(recipe()), leaky, tmp_path / "other")
    other = {row["id"] for row in read_rows(tmp_path / "other/manifests/rejects.parquet")}
    assert other == {"same", *LEAKS}


def folded(group_by="clip_id"):
    return recipe(protocol={"kind": "k-fold", "folds": 3, "group_by": group_by})


def rejected(work):
    return {row["id"]: row for row in read_rows(work / "manifests" / "rejects.parquet")}


def test_of_clips_in_several_folds_that_show_the_same_the_first_stays(leaky, tmp_path):
    work = tmp_path / "work"
    prepare.run(folded(), leaky, work)
    shared = {frozenset((leak.first, leak.second)) for leak in audit_parts(work).disallowed}
    assert shared, "the folds share something"
    report = prepare.run(without_leaks(folded()), leaky, work)
    actual = rejected(work)
    assert {name: (row["stage"], row["reason"]) for name, row in actual.items()} == {
        "e1": ("audit", "near_duplicate"),  # darker
        "flipped": ("audit", "near_duplicate"),  # e0
        "same": ("audit", "same_file"),  # e0
        "v0": ("audit", "near_duplicate"),  # cropped
    }
    assert actual["same"]["detail"] == "e0 in another group: the files are equal"
    assert all(pair & actual.keys() for pair in shared)
    assert report.counts["train"]["clips"] == len(PARTS) + len(LEAKS) + 1 - len(actual)
    shutil.rmtree(work / "folds")
    assert audit_parts(work).disallowed == []
    assert verify(work) == []
    kept = contents(work / "manifests")
    prepare.run(without_leaks(folded()), leaky, tmp_path / "again", jobs=2)
    assert contents(tmp_path / "again" / "manifests") == kept


def test_what_folds_keep_together_may_show_the_same(leaky, tmp_path):
    """The copy is of the same person as the clip, and the person comes first."""
    annotations = (leaky / "annotations.csv").read_text().replace("s-same", "s-e0")
    (leaky / "annotations.csv").write_text(annotations)
    prepare.run(without_leaks(folded("subject_id")), leaky, tmp_path / "work")
    assert rejected(tmp_path / "work").keys() == {"e1", "flipped", "v0"}
    assert audit_parts(tmp_path / "work").disallowed == []


def test_how_many_are_taken_out_of_folds_is_told(leaky, tmp_path):
    recipe_file = tmp_path / "r.yaml"
    recipe_file.write_text(yaml.safe_dump(folded().model_dump(mode="json", exclude_unset=True)))
    words = ["prepare", recipe_file, "--data-root", leaky, "--workdir", tmp_path / "work", "--jobs", "1"]
    done = CliRunner().invoke(app, [*map(str, words), "--drop-leaks"])
    assert done.exit_code == 0, done.output
    assert "audit: 4 clips rejected (near_duplicate 3, same_file 1)" in done.stdout
    audit = CliRunner().invoke(app, ["audit", str(tmp_path / "work")])
    assert audit.exit_code == 0, audit.output


def test_of_data_without_an_image_set_frames_are_compared(leaky, tmp_path):
    """As of action units: no clip has a key frame, and none an image."""
    table = leaky / "annotations.csv"
    table.write_text(table.read_text().replace(",4,", ",,"))
    work = tmp_path / "work"
    config = recipe(sample={"without_key_frame": "video_only"}, augment={"balance": "none"})
    prepare.run(without_leaks(config), leaky, work)
    rejects = {row["id"]: row["reason"] for row in read_rows(work / "manifests" / "rejects.parquet")}
    assert rejects == {"same": "same_file", **dict.fromkeys(LEAKS, "near_duplicate")}
    assert audit_parts(work).disallowed == []
