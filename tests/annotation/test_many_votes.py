"""Votes in arrays: what is read from files, agreement and settling, beside plain code on what was drawn."""

import csv
import shutil
from collections import Counter, defaultdict

import krippendorff
import numpy as np
import pyarrow as pa
import pytest

import fgbench
from fgbench import records, storage
from fgbench.config import ConsensusConfig
from fgbench.datasets import fg_emotions
from fgbench.evaluation.agreement import nominal_agreement, numeric_agreement
from fgbench.preparation.stages._latest_votes import latest_votes
from fgbench.preparation.stages._vote_agreement import read_annotation
from fgbench.preparation.stages._votes import COLUMNS, rows_with_votes
from fgbench.preparation.voting import duplicate_voter
from tests.support import annotation_steps
from tests.support.collected_votes import collected
from tests.support.many_votes import LABELS, N_ANNOTATORS, NAMES, PER_CLIP, clip_name, drawn, write_round

N_CLIPS = 80


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("votes")
    write_round(folder, N_CLIPS)
    return folder


@pytest.fixture(scope="module")
def answers():
    return list(drawn(N_CLIPS))


@pytest.fixture(scope="module")
def ingested(folder):
    """Table of ``ingest`` of the votes that were imported from the table of answers."""
    root = shutil.copytree(folder / "clips", folder / "of-table")
    fgbench.import_votes(folder / "answers.csv", root)
    table = folder / "ingest.parquet"
    annotation_steps.write_ingest(table, fg_emotions.list_clips(root))
    return table


@pytest.mark.parametrize("name", ["export.json", "answers.csv"])
def test_each_answer_is_one_vote(folder, answers, name, tmp_path):
    """Both forms give the votes that were drawn, cell by cell."""
    root = shutil.copytree(folder / "clips", tmp_path / "clips")
    imported = fgbench.import_votes(folder / name, root)
    assert (imported.n_added, imported.rejects) == (PER_CLIP * N_CLIPS, ())
    with (root / "votes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [one for of_clip in answers for one in of_clip]
    assert len(rows) == len(expected)
    for row, one in zip(rows, expected, strict=True):
        assert row == {
            "clip": f"{clip_name(one.clip)}.mp4",
            "annotator": NAMES[one.who],
            "label": one.label,
            "confidence": f"{one.stars / 5:g}",
            "key_frame": str(one.frame),
            "round": "1",
            "spent_s": f"{one.spent_s:g}",
            "cast_at": f"{one.cast_at}Z",
        }


def test_agreement_is_that_of_another_program(ingested, answers):
    """Alpha of labels, key frames and confidences as the package krippendorff has it."""
    whole = read_annotation([ingested], ()).rounds[1].whole
    for actual, level, value in (
        (whole.label, "nominal", lambda one: LABELS.index(one.label)),
        (whole.key_frame, "interval", lambda one: one.frame),
        (whole.confidence, "interval", lambda one: one.stars / 5),
    ):
        matrix = np.full((N_ANNOTATORS, N_CLIPS), np.nan)
        for one in (one for of_clip in answers for one in of_clip):
            matrix[one.who, one.clip] = value(one)
        assert actual.alpha == pytest.approx(krippendorff.alpha(matrix, level_of_measurement=level))


def test_settled_clips_are_those_of_plain_counting(ingested, answers):
    """Three of five name a class, three key frames lie within five frames, at 25 frames a second, and those
    who name the class are sure by half."""
    outcomes = annotation_steps.settle_all(ingested, ConsensusConfig())
    assert len(outcomes) == N_CLIPS
    n_settled = 0
    for outcome, of_clip in zip(outcomes, answers, strict=True):
        assert outcome.item_id == clip_name(of_clip[0].clip)
        label, n_votes = Counter(one.label for one in of_clip).most_common(1)[0]
        frames = [one.frame for one in of_clip]
        n_near = max(sum(0 <= other - first <= 5 for other in frames) for first in frames)
        given = [one.stars for one in of_clip if one.label == label]
        if n_votes < 3 or n_near < 3 or 2 * sum(given) < 5 * len(given):
            assert outcome.reason == "reannotate"
            continue
        n_settled += 1
        (row,) = outcome.rows
        assert (row["label"], row["agreement"]) == (label, n_votes / PER_CLIP)
        assert row["confidence"] == pytest.approx(sum(given) / len(given) / 5)
        assert {one["label"]: one["share"] for one in row["soft_label"]} == {
            name: count / PER_CLIP for name, count in Counter(one.label for one in of_clip).items()
        }
    assert N_CLIPS / 2 < n_settled < N_CLIPS


def vote(who, label, round_=1, frame=None, confidence=None):
    rest = {"time_s": None, "outside": None, "spent_s": None, "cast_at": None}
    given = {"annotator": who, "label": label, "round": round_, "key_frame": frame}
    return given | {"confidence": confidence} | rest


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Rounds, spellings, answers for no class, a duplicate vote, clips without votes, and two label sets."""
    clips = {
        "b": ("fg33", [vote("ann", "Anger ", 1, 3, 0.5), vote("bob", "anger", 2), vote("cem", "fear?", 2)]),
        "a": ("fg33", [vote("ann", "panic", frame=4), vote("bob", "panic", frame=9), vote("cem", "anger")]),
        "twice": ("fg33", [vote("ann", "panic"), vote("ann", "anger"), vote("bob", "anger")]),
        "other": (
            "ekman7",
            [vote("ann", "happy", confidence=0.25), vote("bob", "Happiness"), vote("Cem", "unsure")],
        ),
        "final": ("fg33", []),
        "c": (
            "fg33",
            [vote("ann", "anger", 1, 1, 1.0), vote("bob", "Not usable", 1, 2), vote("dora", "anger")],
        ),
    }
    schema = records.schema("ingest")
    rows = [
        dict.fromkeys(schema.names)
        | {"clip_id": name, "scheme": scheme, "votes": votes, "subject_id": "s" if name < "b" else None}
        | ({"label": "Relief", "confidence": 0.75} if name == "final" else {})
        for name, (scheme, votes) in clips.items()
    ]
    path = tmp_path_factory.mktemp("mixed") / "ingest.parquet"
    storage.write_table(path, pa.Table.from_pylist(rows, schema=schema))
    return path


def test_votes_of_models_are_those_of_lists(mixed):
    """The latest votes for classes, however they are read; the bucket of each clip is known."""
    actual, bucket_of = latest_votes({7: mixed}, {})
    expected = collected(
        (row["clip_id"], votes)
        for row, votes in rows_with_votes(mixed, COLUMNS)
        if votes and duplicate_voter(votes) is None
    )
    assert (actual.clip_ids, actual.labels) == (expected.clip_ids, expected.labels)
    assert actual.n_annotators == expected.n_annotators
    for name in ("clip", "annotator", "label"):
        assert np.array_equal(getattr(actual, name), getattr(expected, name))
    assert {bucket_of[clip] for clip in actual.clip_ids} == {7}
    assert actual.clip_ids == ("a", "b", "c", "other")


def test_people_whose_names_differ_in_case_are_two_for_models(tmp_path):
    """``annotators.csv`` has told so; others have one name before they are read here."""
    schema = records.schema("ingest")
    rows = [
        dict.fromkeys(schema.names)
        | {"clip_id": name, "scheme": "fg33", "votes": [vote("Ann", "anger"), vote("ANN", "panic")]}
        for name in "ab"
    ]
    path = tmp_path / "ingest.parquet"
    storage.write_table(path, pa.Table.from_pylist(rows, schema=schema))
    votes, _ = latest_votes({0: path}, {})
    assert (votes.n_annotators, votes.annotator.tolist()) == (2, [0, 1, 0, 1])


def test_agreement_of_mixed_rounds_is_that_of_lists(mixed):
    """By round, of the votes for classes as they are spelled, without the clip of a duplicate vote."""
    annotation = read_annotation([mixed], ())
    votes = {
        1: [["anger"], ["panic", "panic", "anger"], ["happiness", "happiness"], ["anger", "anger"]],
        2: [["anger"]],
    }
    clusters = {1: ["clip b", "subject s", "clip other", "clip c"], 2: ["clip b"]}
    assert list(annotation.rounds) == [1, 2]
    for number, labels in votes.items():
        found = annotation.rounds[number]
        assert found.whole.label == nominal_agreement(labels, clusters=clusters[number])
        counts = Counter(label for of_clip in labels for label in of_clip)
        assert {name: one.n_votes for name, one in found.classes.items()} == dict(sorted(counts.items()))
    first = annotation.rounds[1]
    frames = [[3], [4, 9], [], [1, 2]]
    assert first.whole.key_frame == numeric_agreement(frames, clusters=clusters[1])
    assert first.classes["anger"].key_frame == numeric_agreement([[3], [1, 2]], clusters=["clip b", "clip c"])
    assert (first.whole.n_clips, first.classes["anger"].n_clips, first.n_annotators) == (4, 3, 5)
    assert first.groups == {1: 1, 3: 3}
    given = defaultdict(list, anger=[0.5, 1.0], happiness=[0.25], relief=[0.75])
    assert annotation.confidences == {
        name: sum(given[name]) / len(given[name]) if given[name] else None
        for name in ("anger", "happiness", "panic", "relief")
    }


@pytest.mark.slow
def test_the_benchmark_measures_each_step(folder, tmp_path):
    """Small here: each step has seconds, and memory is that of the process."""
    root = shutil.copytree(folder / "clips", tmp_path / "clips")
    measured = annotation_steps.steps(root, folder / "answers.csv", "majority")
    assert set(measured) == {"baseline", "import", "agreement", "settling", "peak"}
    assert all(min(seconds) > 0 for seconds in measured.values())
