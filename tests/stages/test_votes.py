"""Votes and confidences from ``votes.csv`` to the manifests and the data card."""

import json
import re
from collections import defaultdict

import pytest

from fgbench.config import PrepareConfig, load_prepare
from fgbench.evaluation.agreement import nominal_agreement, numeric_agreement
from fgbench.preparation import prepare
from fgbench.runs.labels import read_labels
from fgbench.storage import read_rows
from fgbench.workfolders.manifest_index import read_index
from tests.support.clip_folders import LABELS, add_clip, write_folder, write_plain_clip

# Clip to its rounds of (label, confidence, key frame) by annotators n0, n1, ...
GOOD = [("anger", 0.9, 4), ("anger", 0.8, 5), ("anger", 0.7, 4), ("wrath", 0.6, 6), ("hate", 0.9, 4)]
TIED = [("wrath", 0.9, 4)] * 3 + [("anger", 0.9, 4)] * 3
FEW = [("pride", 0.9, 4)] * 3 + [(label, 0.9, 4) for label in LABELS[:5]]
SILENT = [("worry", None, 3)] * 4
VOTES = {
    "good": [GOOD],
    "tied": [TIED],
    "few": [FEW],
    "silent": [SILENT],
    "again": [[*GOOD[:2], *GOOD[3:]], [("relief", 0.9, 2)] * 5],
}


def recipe(**sections):
    return PrepareConfig.model_validate(
        {"name": "test", "buckets": 8, "max_reject_rate": 0.9, "faces": {"align": "never"}, **sections}
    )


def write_votes(root, votes=VOTES):
    lines = ["clip,annotator,label,confidence,key_frame,round"]
    for index, (name, rounds) in enumerate(votes.items()):
        write_plain_clip(root / "videos" / f"{name}.mp4", 8, seed=index)
        for number, cast in enumerate(rounds, start=1):
            lines += [
                f"{name},n{who},{label},{'' if confidence is None else confidence},{frame},{number}"
                for who, (label, confidence, frame) in enumerate(cast)
            ]
    (root / "votes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def rows(work, name):
    return list(read_rows(work / "manifests" / name))


def card(work):
    return (work / "manifests" / "README.md").read_text(encoding="utf-8")


def tables(text):
    """Rows of the tables of a card by the text above them, cells stripped."""
    groups, above = defaultdict(list), ""
    for line in text.splitlines():
        if line.startswith("|"):
            groups[above].append([cell.strip() for cell in line.strip("|").split("|")])
        elif line:
            above = line
    return groups


@pytest.fixture(scope="module")
def voted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voted")
    prepare.run(recipe(), write_votes(folder / "in"), folder / "work")
    return folder / "work"


@pytest.mark.slow
def test_neither_a_tie_nor_a_minority_settles_a_clip(voted):
    clips = {row["clip_id"]: row for row in rows(voted, "clips.parquet")}
    assert {name: row["label"] for name, row in clips.items()} == {
        "good": "anger",
        "silent": "worry",
        "again": "relief",
    }
    rejects = {row["id"]: (row["reason"], row["detail"]) for row in rows(voted, "rejects.parquet")}
    assert rejects == {
        "tied": ("reannotate", "round 1: label: 3 of 6 agree, 4 needed (a tie of anger, wrath)"),
        "few": ("reannotate", "round 1: label: 3 of 8 agree, 5 needed"),
    }
    again = (voted / "manifests" / "reannotate.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in again[1:]] == ["few", "tied"]


@pytest.mark.slow
def test_a_confidence_that_nobody_told_is_blank(voted):
    clips = {row["clip_id"]: row["confidence"] for row in rows(voted, "clips.parquet")}
    assert clips == {"good": pytest.approx(0.8), "silent": None, "again": pytest.approx(0.9)}


def test_the_card_names_groups_of_other_sizes_than_five(voted):
    text = card(voted)
    assert "at least 3 votes that are more than half of those cast" in text
    lines = {line.partition(":")[0]: line for line in text.splitlines() if line.startswith("Round ")}
    assert lines == {
        "Round 1": "Round 1: 27 votes for a class, of 8 annotators on 5 clips. **Voted on by "
        "other than 5 annotators, the "
        "paper's group: 4 of them (2 by 4, 1 by 6, 1 by 8).**",
        "Round 2": "Round 2: 5 votes for a class, of 5 annotators on 1 clip.",
    }


def cell(actual):
    if actual.alpha is None:
        return ""
    return f"{actual.alpha:.3f} ({actual.low:.3f} to {actual.high:.3f})"


def test_the_card_tells_agreement_over_all_votes_of_a_round(voted):
    """Those on clips that were not settled among them; here every clip is a cluster of its own."""
    (table,) = (one for above, one in tables(card(voted)).items() if above.startswith("Round 1"))
    first = {name: rounds[0] for name, rounds in sorted(VOTES.items())}
    order = sorted(first, key=lambda name: f"clip_id {name}")
    labels = [[label for label, _, _ in first[name]] for name in order]
    frames = [[frame for _, _, frame in first[name]] for name in order]
    reported = [[value for _, value, _ in first[name] if value is not None] for name in order]
    clusters = [f"clip_id {name}" for name in order]
    assert table[2] == [
        "all",
        "5",
        "27",
        cell(nominal_agreement(labels, clusters=clusters)),
        cell(numeric_agreement(frames, clusters=clusters)),
        cell(numeric_agreement(reported, clusters=clusters)),
    ]
    assert [row[0] for row in table[3:]] == sorted({label for unit in labels for label in unit})
    by_class = {row[0]: row for row in table[3:]}
    assert by_class["pride"][1:3] == ["1", "3"]
    assert by_class["anger"][1:3] == ["4", "9"]
    against = [[str(label == "anger") for label in unit] for unit in labels]
    assert by_class["anger"][3] == cell(nominal_agreement(against, clusters=clusters))
    # Most votes for anger alone: good and again, not the tie.
    kept = [index for index, name in enumerate(order) if name in ("good", "again")]
    within = [clusters[index] for index in kept]
    assert by_class["anger"][4] == cell(numeric_agreement([frames[index] for index in kept], clusters=within))
    assert "fewer than 30, intervals are a rough guide" in card(voted)


@pytest.mark.slow
def test_clips_of_a_person_are_drawn_together(tmp_path):
    root = write_votes(tmp_path / "in")
    people = {"good": "s1", "tied": "s1", "few": "s2", "silent": "", "again": ""}
    films = {"good": "f1", "silent": "f2", "again": "f2", "few": "", "tied": ""}
    (root / "annotations.csv").write_text(
        "clip,subject,source\n" + "".join(f"{name},{people[name]},{films[name]}\n" for name in people)
    )
    prepare.run(recipe(), root, tmp_path / "work")
    labels = [[label for label, _, _ in VOTES[name][0]] for name in people]
    clusters = ["s1", "s1", "s2", "f2", "f2"]
    renamed = {"s1": "subject_id s1", "s2": "subject_id s2", "f2": "source_id f2"}
    actual = nominal_agreement(labels, clusters=[renamed[name] for name in clusters])
    assert actual.n_clusters == 3
    assert f"| all | 5 | 27 | {cell(actual)} |" in card(tmp_path / "work")


@pytest.mark.slow
def test_names_of_classes_cannot_break_the_card(tmp_path):
    votes = {"a": [[("x|y <b>*z*", 0.4, 4)] * 5], "b": [[("plain", 0.9, 4)] * 5]}
    root, work = write_votes(tmp_path / "in", votes), tmp_path / "work"
    prepare.run(recipe(dataset={"scheme": "free"}, consensus={"min_confidence": 0}), root, work)
    names = [row[0] for one in tables(card(work)).values() for row in one if row[-1] != "---"]
    assert names.count("x y  b  z") == 2
    assert {len(row) for row in tables(card(work))[confidence_text(work)]} == {3}


@pytest.mark.slow
def test_final_labels_have_no_votes_to_tell_of(tmp_path):
    prepare.run(recipe(), write_folder(tmp_path / "in", 4), tmp_path / "work")
    assert "## Votes" not in card(tmp_path / "work")
    assert "## Confidence" not in card(tmp_path / "work")


def low_folder(root):
    """Wrath has a mean confidence of 0.4, though a clip of it has 0.6; a clip of anger has 0.2; hate none."""
    described = {
        "a": ("anger", 0.9),
        "b": ("anger", 0.2),
        "c": ("wrath", 0.2),
        "d": ("wrath", 0.6),
        "e": ("hate", ""),
    }
    lines = ["clip,label,confidence"]
    for index, (name, (label, confidence)) in enumerate(described.items()):
        write_plain_clip(root / "videos" / f"{name}.mp4", 8, seed=index)
        lines.append(f"{name},{label},{confidence}")
    (root / "annotations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


@pytest.mark.slow
def test_the_papers_rule_drops_classes_and_not_clips(tmp_path):
    root, work = low_folder(tmp_path / "in"), tmp_path / "work"
    prepare.run(recipe(consensus={"drop_classes_below": 0.5}), root, work)
    assert [row["clip_id"] for row in rows(work, "clips.parquet")] == ["a", "b", "e"]
    rejects = {row["id"]: (row["reason"], row["detail"]) for row in rows(work, "rejects.parquet")}
    assert {name: reason for name, (reason, _) in rejects.items()} == {"c": "low_class", "d": "low_class"}
    assert "mean confidence of the class wrath is below 0.50" in rejects["d"][1]
    # The label set lacks the class, so that what is left can be trained on.
    index = read_index(work)
    assert len(index["classes"]) == 32
    assert "wrath" not in index["classes"]
    labels = read_labels(index)
    assert (labels.name, len(labels.labels), len(labels.upper)) == ("fg33-part", 32, 6)
    actual = {row[0]: row[1:] for row in tables(card(work))[confidence_text(work)]}
    assert actual["wrath"] == ["0.400", "dropped"]
    assert actual["anger"] == ["0.550", ""]
    assert actual["hate"] == ["", ""]


def confidence_text(work):
    return next(line for line in card(work).splitlines() if line.startswith("Mean over the votes"))


@pytest.mark.slow
def test_by_default_low_classes_are_told_and_kept(tmp_path):
    root, work = low_folder(tmp_path / "in"), tmp_path / "work"
    prepare.run(recipe(), root, work)
    assert len(rows(work, "clips.parquet")) == 5
    assert len(read_index(work)["classes"]) == 33
    actual = {row[0]: row[1:] for row in tables(card(work))[confidence_text(work)]}
    assert actual["wrath"] == ["0.400", "low"]
    assert "The paper drops classes below 0.5; this recipe drops none" in card(work)


@pytest.mark.slow
def test_low_classes_are_told_by_first_votes_and_hit_what_the_votes_settle(tmp_path):
    """Votes for pride are unsure, although each clip that they settle has a mean above the rule for clips."""
    low = [("pride", 0.5, 4)] * 3 + [("anger", 0.9, 4)] * 2
    votes = {"p": [low], "q": [[("pride", 0.3, 4)] * 2 + [("anger", 0.9, 4)] * 3], "r": [GOOD]}
    root, work = write_votes(tmp_path / "in", votes), tmp_path / "work"
    prepare.run(recipe(consensus={"drop_classes_below": 0.5}), root, work)
    assert {row["clip_id"]: row["label"] for row in rows(work, "clips.parquet")} == {
        "q": "anger",
        "r": "anger",
    }
    assert {row["id"]: row["reason"] for row in rows(work, "rejects.parquet")} == {"p": "low_class"}


@pytest.mark.slow
def test_with_the_papers_rule_a_new_clip_redoes_its_own_bucket_and_a_class_that_falls_its_clips(tmp_path):
    root, work = write_folder(tmp_path / "in", 6, n_frames=3), tmp_path / "work"
    table = root / "annotations.csv"
    text = re.sub(r"(?m)$", ",0.8", table.read_text().strip()).replace("subject,0.8", "subject,confidence")
    table.write_text(text + "\n")
    config = recipe(buckets=64, sample={"before": 1, "after": 1}, consensus={"drop_classes_below": 0.5})

    def redone():
        report = prepare.run(config, root, work)
        return {stage.stage: stage.done for stage in report.stages}["consensus"]

    redone()
    add_clip(root, "sure", LABELS[0], n_frames=3, key_frame=1)
    assert redone() == 1
    with table.open("a", encoding="utf-8") as file:
        write_plain_clip(root / "videos" / "doubtful.mp4", 3, seed=99)
        file.write(f"doubtful,{LABELS[1]},1,s0,0.0\n")
    assert redone() == 2  # the other of its class is dropped with it
    dropped = {row["id"] for row in rows(work, "rejects.parquet")}
    assert dropped == {"c001", "doubtful"}


def test_the_papers_recipe_has_the_papers_rule_of_confidence():
    paper, own = load_prepare("fg-emotions").consensus, load_prepare("default").consensus
    assert (paper.drop_classes_below, paper.min_confidence, paper.min_votes) == (0.5, 0.0, 3)
    assert (own.drop_classes_below, own.min_confidence) == (0.0, 0.5)


def test_votes_of_data_without_classes_do_not_end_the_run(tmp_path):
    root, work = write_votes(tmp_path / "in", {"good": [GOOD]}), tmp_path / "work"
    prepare.run(recipe(dataset={"scheme": "none"}), root, work)
    (clip,) = rows(work, "clips.parquet")
    assert (clip["label"], clip["key_frame"]) == (None, 4)
    assert json.loads((work / "manifests" / "index.json").read_text())["classes"] == []
