"""The stage ``consensus`` with rules other than the paper's, from recipe to manifests."""

import csv
from dataclasses import replace

import pytest

from fgbench.config import PrepareConfig
from fgbench.preparation import prepare, settling
from fgbench.storage import read_rows
from tests.support.clip_folders import write_plain_clip

NAMES = [f"c{number:02d}" for number in range(12)]
LABELS = ("anger", "wrath", "pride")
GROUP = ("ann", "ben", "cem")


def write(root, votes):
    for number, name in enumerate(NAMES):
        path = root / "videos" / f"{name}.mp4"
        if not path.exists():
            write_plain_clip(path, 6, seed=number)
    with (root / "votes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "annotator", "label", "confidence", "key_frame"])
        writer.writerows(votes)
    return root


def agreed():
    return [(name, who, LABELS[number % 3], 0.9, 3) for number, name in enumerate(NAMES) for who in GROUP]


def run(root, work, **consensus):
    recipe = PrepareConfig.model_validate(
        {
            "name": "test",
            "buckets": 8,
            "max_reject_rate": 0.9,
            "faces": {"align": "never"},
            "consensus": consensus,
        }
    )
    return prepare.run(recipe, root, work)


def labels(work):
    return {row["clip_id"]: row["label"] for row in read_rows(work / "manifests" / "clips.parquet")}


def rejects(work):
    rows = read_rows(work / "manifests" / "rejects.parquet")
    return {row["id"]: row["detail"] for row in rows if row["reason"] == "reannotate"}


def results(work):
    return {path.name for path in (work / "stages" / "consensus").glob("*.json")}


@pytest.mark.slow
def test_a_plurality_settles_by_majority_and_not_by_the_paper(tmp_path):
    votes = [(NAMES[0], who, label, 0.9, 3) for who, label in zip("abcde", "cczwp", strict=True)]
    named = {"c": "anger", "z": "pride", "w": "wrath", "p": "hate"}
    votes = [(clip, who, named[label], confidence, at) for clip, who, label, confidence, at in votes]
    tied = [(NAMES[1], who, named[label], 0.9, 3) for who, label in zip("abcd", "cczz", strict=True)]
    root = write(tmp_path / "in", [*votes, *tied])
    run(root, tmp_path / "paper")
    assert labels(tmp_path / "paper") == {}
    run(root, tmp_path / "work", rule="majority")
    assert labels(tmp_path / "work") == {NAMES[0]: "anger"}
    assert rejects(tmp_path / "work") == {
        NAMES[1]: "round 1: label: a tie of anger, pride, 2 of 4 votes each"
    }
    assert "A label stands with more votes than any other" in (
        tmp_path / "work" / "manifests" / "README.md"
    ).read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_model_settles_all_clips_and_a_new_vote_redoes_few_buckets(tmp_path):
    root = write(tmp_path / "in", agreed())
    work = tmp_path / "work"
    run(root, work, rule="dawid-skene")
    assert labels(work) == {name: LABELS[number % 3] for number, name in enumerate(NAMES)}
    before = results(work)
    run(root, work, rule="dawid-skene")
    assert results(work) == before
    write(root, [*agreed(), (NAMES[0], "dan", LABELS[0], 0.9, 3)])
    run(root, work, rule="dawid-skene")
    assert len(results(work) - before) == 1


@pytest.mark.slow
def test_an_uncertain_clip_is_voted_on_again_with_its_certainty(tmp_path):
    split = [(NAMES[0], who, label, 0.9, 3) for who, label in zip(GROUP, LABELS, strict=True)]
    root = write(tmp_path / "in", [*split, *(vote for vote in agreed() if vote[0] >= NAMES[3])])
    run(root, tmp_path / "work", rule="dawid-skene")
    assert rejects(tmp_path / "work") == {
        NAMES[0]: "round 1: label: a tie of anger, pride, wrath, certainty 0.33 each"
    }


@pytest.mark.slow
def test_a_new_version_of_one_rule_leaves_results_of_another_alone(tmp_path, monkeypatch):
    root = write(tmp_path / "in", agreed())
    work = tmp_path / "work"
    run(root, work, rule="majority")
    before = results(work)
    majority, mace = settling.load("majority"), settling.load("mace")
    newer = {"majority": majority, "mace": replace(mace, version=2)}
    monkeypatch.setattr(settling, "load", newer.__getitem__)
    run(root, work, rule="majority")
    assert results(work) == before
    newer["majority"] = replace(majority, version=2)
    run(root, work, rule="majority")
    assert len(results(work) - before) == len(before)
