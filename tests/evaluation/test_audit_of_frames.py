"""Audits of data without an image set, as of action units: clips are compared by frames of the video set."""

import numpy as np
import pytest

from fgbench.audit.leaks import audit_parts
from fgbench.audit.spread_frames import FRAMES_PER_CLIP, spread_frames
from fgbench.audit.tables import AuditedPictures, pictures_by_id
from fgbench.media.images import decode
from fgbench.reports.audit_page import write_report
from tests.support.audited_folders import CHANGES, clip_row, drawn_faces, face_rows, image_rows, write_work

PARTS = ("train", "train", "val", "val", "test", "test")


def bare(work, *more, group_by="subject_id"):
    """Six clips of six persons, with frames of the video set alone, and further clips with theirs."""
    known = [faces for *_, faces in drawn_faces(6)]
    clips = [clip_row(f"c{n}", part, subject=f"s{n}", source=f"f{n}") for n, part in enumerate(PARTS)]
    faces = [row for n in range(6) for row in face_rows(f"c{n}", [None, *known[n]])]
    for clip, seen in more:
        clips.append(clip)
        faces += face_rows(clip["clip_id"], seen)
    return write_work(work, clips, [], group_by=group_by, faces=faces), known


def found(audit):
    return [(leak.kind, leak.first_part, leak.first, leak.second) for leak in audit.disallowed]


@pytest.mark.slow
def test_frames_of_clean_parts_are_compared_and_none_is_alike(tmp_path):
    audit = audit_parts(bare(tmp_path)[0])
    assert found(audit) == []
    assert [pair.pictures for pair in audit.compared] == [(6, 6)] * 3
    assert audit.n_looks == 3


@pytest.mark.slow
@pytest.mark.parametrize("change", ["encoded", "mirrored", "all at once"])
def test_a_changed_copy_of_a_clip_is_found_by_its_frames(tmp_path, change):
    known = [faces for *_, faces in drawn_faces(6)]
    copy = [CHANGES[change](face) for face in known[4]]
    audit = audit_parts(bare(tmp_path, (clip_row("copy", "train", subject="x", source="x"), copy))[0])
    assert found(audit) == [("near_duplicate", "train", "copy", "c4")]
    _, page = write_report(audit)
    assert page.read_text(encoding="utf-8").count('src="data:image/jpeg;base64,') == 2


@pytest.mark.slow
def test_equal_frames_and_persons_of_two_parts_are_found(tmp_path):
    known = [faces for *_, faces in drawn_faces(6)]
    row = clip_row("again", "val", subject="s0", source="x")
    assert sorted(found(audit_parts(bare(tmp_path, (row, known[5]))[0]))) == [
        ("same_picture", "val", "again", "c5"),
        ("same_subject", "train", "s0", "s0"),
    ]


def test_of_a_long_clip_few_frames_are_taken_from_beginning_to_end():
    rows = [{"clip_id": "long", "frame_index": n, "status": "ok"} for n in range(0, 10_000, 5)]
    rows += [{"clip_id": "short", "frame_index": n, "status": ("ok", "no_face")[n % 2]} for n in range(8)]
    rows += [{"clip_id": "other", "frame_index": 3, "status": "ok"}]
    chosen = spread_frames(rows, frozenset({"long", "short"}))
    long = sorted(number for clip, number in chosen if clip == "long")
    assert len(long) == FRAMES_PER_CLIP
    assert (long[0], long[-1]) == (0, 9995)
    assert np.ptp(np.diff(long)) <= 5
    assert {key for key in chosen if key[0] != "long"} == {("short", n) for n in (0, 2, 4, 6)}


def test_clips_of_the_image_set_are_compared_by_it_alone(tmp_path):
    grey = [np.full((224, 224, 3), value, np.uint8) for value in (40, 90)]
    clips = [clip_row("with", "train"), clip_row("without", "test")]
    rows = [row for clip in clips for row in face_rows(clip["clip_id"], grey)]
    work = write_work(tmp_path, clips, image_rows("with", "train", grey[:1]), faces=rows)
    pictures = AuditedPictures(work / "manifests", None)
    assert [one.image_id for one in pictures] == ["with-f00000", "without-f00000", "without-f00001"]
    assert len(pictures) == 3
    assert len(AuditedPictures(work / "manifests", ("train",))) == 1
    shown = pictures_by_id(work / "manifests", {"with-f00000", "without-f00001"})
    assert {name: int(decode(data).mean()) for name, data in shown.items()} == {
        "with-f00000": 40,
        "without-f00001": 90,
    }
