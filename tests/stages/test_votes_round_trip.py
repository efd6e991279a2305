"""Votes that change: only the bucket of their clip is made again, and runs are marked by changed labels."""

import json

import pytest

from fgbench import storage
from fgbench.files.hashing import bucket_of
from fgbench.preparation import prepare
from fgbench.runs.read_digest import digests_now, read_digest
from fgbench.workfolders.manifest_index import read_index
from tests.support.voted_clips import VOTES, recipe, write

pytestmark = pytest.mark.slow

BUCKETS = 16
CLIPS = "abcdefgh"
ROWS = [
    [clip, f"p{voter}", "hate" if voter == 5 else "wrath", "0.9", "3", "1", "", ""]
    for clip in CLIPS
    for voter in range(1, 6)
]


def prepared(root, work, rows):
    write(root, rows)
    return prepare.run(recipe(buckets=BUCKETS), root, work)


def made(work):
    """Stage and bucket of every result, with its fingerprint."""
    return {
        (path.parent.name, int(path.name.split("-")[0]), path.stem)
        for path in (work / "stages").glob("*/*.json")
    }


def changed(rows, clip, label, n_votes):
    """The rows with another label in the last votes on a clip."""
    of_clip = [row for row in rows if row[0] == clip]
    return [[*row[:2], label, *row[3:]] if row in of_clip[-n_votes:] else row for row in rows]


@pytest.fixture
def work(tmp_path):
    prepared(tmp_path / "in", tmp_path / "work", ROWS)
    return tmp_path / "work"


def label_of(work, clip):
    rows = storage.read_rows(work / "manifests" / "clips.parquet", ["clip_id", "label"])
    return next(row["label"] for row in rows if row["clip_id"] == clip)


def test_only_the_bucket_of_the_clip_is_made_again(tmp_path, work):
    before, stamps = (
        made(work),
        {path: path.stat().st_mtime_ns for path in (tmp_path / "in/videos").iterdir()},
    )
    votes = (tmp_path / "in" / "votes.csv").read_text(encoding="utf-8").splitlines()
    flipped = [line.replace("wrath", "hate") if line.startswith("c,") else line for line in votes]
    (tmp_path / "in" / "votes.csv").write_text("\n".join(flipped) + "\n", encoding="utf-8")
    report = prepare.run(recipe(buckets=BUCKETS), tmp_path / "in", work)
    assert label_of(work, "c") == "hate"
    new = made(work) - before
    assert {bucket for _, bucket, _ in new} == {bucket_of("c", BUCKETS)}
    assert report.done == len(new) <= 8
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "in/videos").iterdir()} == stamps
    assert prepare.run(recipe(buckets=BUCKETS), tmp_path / "in", work).done == 0


def test_a_vote_that_changes_no_label_changes_no_run_that_reads_labels_alone(tmp_path, work):
    index = read_index(work)
    hard, soft = read_digest(work, index), read_digest(work, index, soft_labels=True)
    assert hard != soft
    votes = (tmp_path / "in" / "votes.csv").read_text(encoding="utf-8")
    (tmp_path / "in" / "votes.csv").write_text(f"{votes}c,p6,hate,0.9,3,1,,\n", encoding="utf-8")
    prepare.run(recipe(buckets=BUCKETS), tmp_path / "in", work)
    now = read_index(work)
    images = {name for name in now["files"] if name.startswith("images/") and now["files"][name]["rows"]}
    assert {n for n in images if now["files"][n]["sha256"] != index["files"][n]["sha256"]}
    assert read_digest(work, now) == hard
    assert read_digest(work, now, soft_labels=True) != soft
    assert hard in digests_now(work, now)
    assert soft not in digests_now(work, now)


def test_another_label_changes_both(tmp_path, work):
    index = read_index(work)
    before = {read_digest(work, index), read_digest(work, index, soft_labels=True)}
    text = json.dumps(index["files"])
    assert text.count("sha256_without_soft_labels") == sum(
        name.startswith("images/") and file["rows"] > 0 for name, file in index["files"].items()
    )
    write(tmp_path / "in", changed(ROWS, "d", "hate", 4))
    prepare.run(recipe(buckets=BUCKETS), tmp_path / "in", work)
    assert label_of(work, "d") == "hate"
    assert not before & digests_now(work, read_index(work))


def test_a_salt_that_is_added_gives_other_pseudonyms_and_the_same_labels(tmp_path, work):
    table = work / "manifests" / "votes.parquet"
    before = list(storage.read_rows(table))
    (tmp_path / "in" / "annotators.salt").write_text("ab" * 32 + "\n", encoding="ascii")
    report = prepare.run(recipe(buckets=BUCKETS), tmp_path / "in", work)
    after = list(storage.read_rows(table))
    assert any("chmod 600" in line for line in report.notes)
    assert not {row["annotator"] for row in before} & {row["annotator"] for row in after}
    assert [row["settled"] for row in before] == [row["settled"] for row in after]


def test_workers_do_not_change_what_is_written(tmp_path):
    write(tmp_path / "in", VOTES)
    for jobs in (1, 2):
        prepare.run(recipe(), tmp_path / "in", tmp_path / f"work{jobs}", jobs=jobs)
    first, second = (read_index(tmp_path / f"work{jobs}")["files"] for jobs in (1, 2))
    assert first == second
