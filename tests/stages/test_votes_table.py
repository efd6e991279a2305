"""``votes.parquet`` and soft labels: all votes in order, and what their clip got; counted by hand."""

from collections import Counter
from fractions import Fraction

import datasets
import pytest

import fgbench
from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.preparation import prepare
from fgbench.preparation.stages import _votes_table
from fgbench.records import schema
from fgbench.taxonomy import ontology
from fgbench.workfolders.manifest_index import read_index
from tests.support.clip_folders import write_plain_clip
from tests.support.voted_clips import TIME, VOTES, recipe, write


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("votes")
    prepare.run(recipe(), write(folder / "in"), folder / "work")
    return folder / "work"


def rows(work, name="votes.parquet"):
    return list(storage.read_rows(work / "manifests" / name))


def test_every_vote_on_a_readable_clip_is_there_in_order(work):
    table = rows(work)
    assert len(table) == len(VOTES)
    keys = [(row["clip_id"], row["round"], row["annotator"]) for row in table]
    assert keys == sorted(keys)
    assert Counter((row["clip_id"], row["round"]) for row in table) == Counter(
        (row[0], int(row[5])) for row in VOTES
    )
    assert storage.read_table(work / "manifests" / "votes.parquet").schema.equals(schema("votes"))
    assert read_index(work)["files"]["votes.parquet"]["rows"] == len(VOTES)


def test_answers_classes_and_what_the_clip_got(work):
    table = rows(work)
    answers = Counter((row["clip_id"], row["answer"], row["label"], row["basic"]) for row in table)
    assert answers == {
        ("a", "class", "wrath", "anger"): 3,
        ("a", "class", "hate", "anger"): 1,
        ("a", "unsure", None, None): 1,
        ("b", "class", "wrath", "anger"): 1,
        ("b", "class", "hate", "anger"): 1,
        ("b", "unknown", None, None): 1,
        ("c", "not_usable", None, None): 2,
        ("c", "class", "hate", "anger"): 2,
        ("d", "class", "hate", "anger"): 3,
        ("d", "class", "wrath", "anger"): 1,
    }
    assert {row["clip_id"]: row["settled"] for row in table} == {
        "a": "wrath",
        "b": None,
        "c": None,
        "d": "hate",
    }
    assert {row["clip_id"]: row["gold_label"] for row in table if row["gold_label"]} == {"a": "wrath"}
    assert {(row["clip_id"], row["subject_id"], row["source_id"]) for row in table} == {
        (name, f"s{name}", "film") for name in "abcd"
    }


def test_times_and_key_frames(work):
    table = [row for row in rows(work) if row["clip_id"] == "a"]
    assert Counter(row["spent_s"] for row in table) == {4.5: 1, 2.0: 1, 0.0: 1, None: 2}
    assert Counter(row["cast_at"] for row in table) == {TIME: 2, None: 3}
    fps = next(row["fps"] for row in rows(work, "clips.parquet") if row["clip_id"] == "a")
    assert {row["key_frame"]: row["key_time_s"] for row in table} == {3: 3 / fps, 4: 4 / fps, None: None}
    outside = [row for row in rows(work) if row["outside"] is not None]
    assert [(row["outside"], row["key_frame"], row["key_time_s"]) for row in outside] == [(99, None, None)]


def test_soft_labels_are_the_shares_of_the_round_that_settled(work):
    votes = Counter((row[0], row[2].lower()) for row in VOTES if row[0] == "a" or row[5] == "2")
    order = ontology("fg33").labels
    for name in ("clips.parquet", *(f for f in read_index(work)["files"] if f.startswith("images/"))):
        for row in rows(work, name):
            counts = {label: votes[row["clip_id"], label] for label in order if votes[row["clip_id"], label]}
            expected = {label: float(Fraction(n, sum(counts.values()))) for label, n in counts.items()}
            assert [(one["label"], one["share"]) for one in row["soft_label"]] == list(expected.items())
            assert sum(expected.values()) == pytest.approx(1.0)


def test_reserved_answers_are_no_classes_and_a_clip_may_be_not_usable(work):
    rejects = {
        row["id"]: (row["stage"], row["reason"], row["detail"]) for row in rows(work, "rejects.parquet")
    }
    assert rejects["c"] == ("consensus", "not_usable", "round 2: 2 of 3 call it not usable")
    assert rejects["b"][1] == "reannotate"
    again = (work / "manifests" / "reannotate.csv").read_text(encoding="utf-8")
    assert "\nb," in again
    assert "\nc," not in again
    assert "not_usable" not in read_index(work)["classes"]


def test_the_table_is_the_same_whatever_is_sorted_at_a_time(work, tmp_path, monkeypatch):
    monkeypatch.setattr(_votes_table, "RANGE", 1)
    prepare.run(recipe(buckets=2), write(tmp_path / "in"), tmp_path / "work")
    assert rows(tmp_path / "work") == rows(work)


def test_the_table_opens_in_python_and_as_a_config_of_the_card(work, tmp_path):
    votes = fgbench.open(work).votes
    assert list(votes.columns) == schema("votes").names
    assert len(votes) == len(VOTES)
    loaded = datasets.load_dataset(str(work / "manifests"), "votes", cache_dir=str(tmp_path))
    assert loaded["full"].num_rows == len(VOTES)
    clips = datasets.load_dataset(str(work / "manifests"), "clips", cache_dir=str(tmp_path))["full"]
    assert clips[0]["soft_label"] == [{"label": "hate", "share": 0.25}, {"label": "wrath", "share": 0.75}]


def test_without_votes_there_is_no_table_and_a_clear_error(tmp_path):
    write_plain_clip(tmp_path / "in" / "videos" / "a.mp4", 8, seed=0)
    (tmp_path / "in" / "annotations.csv").write_text("clip,label,key_frame\na,wrath,2\n", encoding="utf-8")
    prepare.run(recipe(), tmp_path / "in", tmp_path / "work")
    assert "votes.parquet" not in read_index(tmp_path / "work")["files"]
    assert [row["soft_label"] for row in rows(tmp_path / "work", "clips.parquet")] == [None]
    with pytest.raises(ManifestError, match=r"no votes\.parquet: the data set has no votes"):
        _ = fgbench.open(tmp_path / "work").votes


def test_votes_that_are_taken_back_take_the_table_with_them(tmp_path):
    prepare.run(recipe(), write(tmp_path / "in"), tmp_path / "work")
    (tmp_path / "in" / "votes.csv").unlink()
    (tmp_path / "in" / "gold.csv").unlink()
    (tmp_path / "in" / "annotations.csv").write_text("clip,label\na,wrath\nd,hate\n", encoding="utf-8")
    prepare.run(recipe(), tmp_path / "in", tmp_path / "work")
    assert not (tmp_path / "work" / "manifests" / "votes.parquet").exists()
