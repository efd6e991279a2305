"""Selected frames that change: no clip is read anew, and only the buckets of their clips are made again."""

import pytest

from fgbench import storage
from fgbench.files.hashing import bucket_of
from fgbench.preparation import prepare
from tests.support.voted_clips import recipe, write

pytestmark = pytest.mark.slow

BUCKETS = 16
CLIPS = "abcd"
ROWS = [[clip, f"p{voter}", "wrath", "0.9", "3", "1", "", ""] for clip in CLIPS for voter in range(3)]
UPSTREAM = {"ingest", "consensus", "split"}


def made(work):
    """Stage, bucket and fingerprint of every result."""
    paths = (work / "stages").glob("*/*.json")
    return {(path.parent.name, int(path.name.split("-")[0]), path.stem) for path in paths}


def pictures(work):
    """Clip and frame of the pictures of the image set, without augmented copies."""
    tables = sorted((work / "manifests" / "images").iterdir())
    rows = [row for path in tables for row in storage.read_rows(path)]
    return {(row["clip_id"], row["frame_index"]) for row in rows if row["parent_id"] is None}


def select(root, frames):
    lines = [f"{clip},{frame}" for clip, frame in sorted(frames)]
    (root / "selection.csv").write_text("\n".join(["clip,frame", *lines, ""]), encoding="utf-8")


def test_only_buckets_whose_selected_frames_changed_are_made_again(tmp_path):
    root, work = write(tmp_path / "in", ROWS, gold=[]), tmp_path / "work"
    settings = recipe(buckets=BUCKETS, augment={"balance": "none"})
    prepare.run(settings, root, work)
    all_frames, before = pictures(work), made(work)
    chosen = all_frames - {("c", frame) for clip, frame in all_frames if clip == "c" and frame != 3}
    select(root, chosen)
    prepare.run(settings, root, work)
    first = made(work) - before
    assert pictures(work) == chosen
    assert not {stage for stage, _, _ in first} & UPSTREAM
    # The sample of each clip is looked at, and is the same but for one.
    assert {bucket for stage, bucket, _ in first if stage == "sample"} == {
        bucket_of(c, BUCKETS) for c in CLIPS
    }
    assert {bucket for stage, bucket, _ in first if stage != "sample"} == {bucket_of("c", BUCKETS)}
    select(root, chosen - {("a", 3)})
    before = made(work)
    prepare.run(settings, root, work)
    second = made(work) - before
    assert {bucket for _, bucket, _ in second} == {bucket_of("a", BUCKETS)}
    assert not {stage for stage, _, _ in second} & UPSTREAM
    assert pictures(work) == chosen - {("a", 3)}
