"""Thousands of clips of one look: groups, and work and memory that grow as the number of clips does."""

import json

import numpy as np
import pytest

from fgbench.audit import duplicates as duplicate_search
from fgbench.audit.leak import AuditedClip, Side
from fgbench.audit.leaks import audit_parts
from fgbench.audit.look_groups import look_groups
from fgbench.audit.part_leaks import compare, dropped_clips
from fgbench.audit.perceptual_hash import SIDE_PX, WINDOWS
from fgbench.audit.pictures import Pictures
from fgbench.reports.audit_page import write_report
from tests.support.audited_folders import CHANGES, clip_row, drawn_faces, image_rows, write_work

pytestmark = pytest.mark.slow

N = 1500


def side(name, n, *, equal, seed):
    """Clips with one picture each: hashes that differ by two bits, equal pixels or not."""
    generator = np.random.default_rng(seed)
    hashes = np.zeros((n, len(WINDOWS), 4), np.uint64)
    hashes[np.arange(n), :, 1] = np.uint64(1) << generator.integers(1, 60, n).astype(np.uint64)[:, None]
    ids = [f"{name}{number:05d}" for number in range(n)]
    pictures = Pictures(
        image_ids=[f"{clip}-f" for clip in ids],
        clip_ids=ids,
        digests=[b"same" if equal else clip.encode() for clip in ids],
        thumbs=np.broadcast_to(np.uint8(90), (n, SIDE_PX, SIDE_PX)),
        hashes=hashes,
        flat=np.zeros(n, bool),
        unreadable=[],
    )
    clips = [
        AuditedClip(clip_id=clip, part=name, sha256=clip, subject_id=None, source_id=None, label="")
        for clip in ids
    ]
    return Side(name, clips, pictures)


@pytest.fixture
def aligned(monkeypatch):
    """Counts alignments; all agree."""
    calls = []

    def correlation(first, second, match):
        calls.append(match)
        return 0.99

    monkeypatch.setattr(duplicate_search, "aligned_correlation", correlation)
    return calls


def test_equal_pictures_are_one_group_and_nothing_is_aligned(aligned):
    first, second = side("train", N, equal=True, seed=1), side("test", N, equal=True, seed=2)
    leaks = compare(first, second, apart="clip_id")
    assert [leak.kind for leak in leaks] == ["same_picture"] * N
    assert leaks[0].detail == f"1 pairs of pictures have equal pixels; likewise {N - 1} more clips there"
    assert len(aligned) <= 2
    (group,) = look_groups([first, second], leaks)
    assert {part: len(ids) for part, ids in group.clips.items()} == {"train": N, "test": N}
    assert len(dropped_clips(leaks)) == N


@pytest.mark.parametrize("jobs", [1, 3])
def test_near_duplicates_of_one_look_are_aligned_about_once_per_clip(aligned, jobs):
    first, second = side("train", N, equal=False, seed=1), side("test", N // 2, equal=False, seed=2)
    leaks = compare(first, second, apart="clip_id", jobs=jobs)
    assert {leak.kind for leak in leaks} == {"near_duplicate"}
    assert len(aligned) <= 2 * N
    assert len(leaks) <= 2 * N
    assert len(dropped_clips(leaks)) == N  # every one of them
    # Those of the second part that are nearest to none of the first are told of too.
    assert {leak.second for leak in leaks} == {clip.clip_id for clip in second.clips}


def test_a_clip_that_has_no_partner_is_in_no_group(tmp_path):
    faces = [faces for *_, faces in drawn_faces(12)]
    clips = [clip_row(f"c{number}", part) for number, part in enumerate(("train", "train", "test", "test"))]
    images = [
        row
        for number, clip in enumerate(clips)
        for row in image_rows(f"c{number}", clip["split"], faces[number])
    ]
    for name, part, change in (
        ("a", "train", "encoded"),
        ("b", "val", "mirrored"),
        ("c", "train", "encoded"),
    ):
        clips.append(clip_row(name, part))
        images += image_rows(name, part, [CHANGES[change](image) for image in faces[2]])
    clips.append(clip_row("d", "val", sha256="c0"))
    audit = audit_parts(write_work(tmp_path, clips, images))
    actual = [{part: list(ids) for part, ids in group.clips.items()} for group in audit.groups]
    assert actual == [{"train": ["a", "c"], "val": ["b"], "test": ["c2"]}, {"train": ["c0"], "val": ["d"]}]
    data, page = write_report(audit)
    assert [group["n_clips"] for group in json.loads(data.read_text())["groups"]] == [4, 2]
    text = page.read_text(encoding="utf-8")
    assert "6 clips of two parts or more show the same as others, in 2 groups" in text
    assert "train: a, c; val: b; test: c2" in text
    assert set(dropped_clips(audit.leaks)) == {"a", "b", "c", "c0"}
