"""Digests of what an adapter lists: as they were where no action units are labelled, else others."""

from dataclasses import fields, replace

from fgbench.catalogue.stamps import Stamps, source_digest
from fgbench.files.hashing import digest_json
from fgbench.records import ClipEntry
from tests.support.fake_trees import write_text

ENTRY = ClipEntry(clip_id="a", path="a.mp4", label="anger", subject_id="s1")


def test_entries_without_action_units_have_the_digest_that_they_had(tmp_path):
    write_text(tmp_path / "a.mp4", "x")
    stamps = Stamps(tmp_path)
    before = [
        getattr(ENTRY, field.name)
        for field in fields(ENTRY)
        if field.name not in ("votes", "last_unit_frame")
    ]
    listed = [[*before, [], stamps.of("a.mp4")]]
    assert source_digest((ENTRY,), stamps, ["set"]) == digest_json([["set"], listed])


def test_another_last_frame_is_another_digest(tmp_path):
    write_text(tmp_path / "a.mp4", "x")
    stamps = Stamps(tmp_path)
    actual = {
        source_digest((replace(ENTRY, last_unit_frame=last),), stamps, ["set"]) for last in (None, 0, 7)
    }
    assert len(actual) == 3
