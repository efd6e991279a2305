"""Digests of what an adapter lists: as they were where no action units are labelled, else others."""

from dataclasses import fields, replace

import pytest

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
        if field.name not in ("votes", "last_unit_frame", "fps", "selected_frames")
    ]
    listed = [[*before, [], stamps.of("a.mp4")]]
    assert source_digest((ENTRY,), stamps, ["set"]) == digest_json([["set"], listed])


@pytest.mark.parametrize(
    ("name", "values", "n_digests"),
    [
        ("last_unit_frame", (None, 0, 7), 3),
        ("fps", (None, 25.0, 50.0), 3),
        ("selected_frames", (None, (), (1, 2)), 1),  # read by a later stage, which looks at them itself
    ],
)
def test_what_makes_another_digest(tmp_path, name, values, n_digests):
    write_text(tmp_path / "a.mp4", "x")
    stamps = Stamps(tmp_path)
    actual = {source_digest((replace(ENTRY, **{name: value}),), stamps, ["set"]) for value in values}
    assert len(actual) == n_digests
