"""A vote that comes in a later round, on a clip that is settled: the clip stays, and the vote is told."""

import pytest

from fgbench import storage
from fgbench.preparation import prepare
from tests.support.voted_clips import recipe, write

FIVE = [
    ["a", f"p{who}", label, "0.9", "3", "1", "", ""] for who, label in enumerate(["wrath"] * 4 + ["hate"])
]
OPEN = [["b", f"p{who}", label, "0.9", "3", "1", "", ""] for who, label in enumerate(["wrath", "hate"])]
LATE = [["a", "p9", "hate", "0.9", "6", "2", "", ""], ["b", "p9", "hate", "0.9", "3", "2", "", ""]]
OTHERS = [
    [clip, f"p{who}", label, "0.9", "3", "1", "", ""]
    for clip, label in (("c", "hate"), ("d", "wrath"))
    for who in range(3)
]
NOTE = (
    "1 vote is late, and counts for nothing: an earlier round had settled the clip, and fewer than 3 voted "
    "on it again: a (1); to overrule that round, have 3 or more vote again"
)


def rows(work, name):
    return list(storage.read_rows(work / "manifests" / f"{name}.parquet"))


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["paper", "dawid-skene"])
def test_a_late_vote_does_not_drop_a_settled_clip(tmp_path, rule):
    root = write(tmp_path / "in", [*FIVE, *OPEN, *OTHERS], gold=[])
    settings = recipe(buckets=2, consensus={"rule": rule})
    prepare.run(settings, root, tmp_path / "work")
    before = {row["clip_id"]: row for row in rows(tmp_path / "work", "clips")}["a"]
    write(root, [*FIVE, *OPEN, *OTHERS, *LATE], gold=[])
    done = prepare.run(settings, root, tmp_path / "work")
    after = {row["clip_id"]: row for row in rows(tmp_path / "work", "clips")}["a"]
    assert after == before
    assert (after["label"], after["key_frame"], after["agreement"]) == ("wrath", 3, pytest.approx(0.8))
    settled = {(row["clip_id"], row["round"]): row["settled"] for row in rows(tmp_path / "work", "votes")}
    assert (settled["a", 1], settled["a", 2], settled["c", 1]) == ("wrath", None, "hate")
    assert NOTE in done.look
