"""Plain tables: samples, classes and probabilities, counted again by scikit-learn."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from tests.support.outside_work import LOST, N_FRAMES, cli, folds, score, write_rows

FOUR = ["anger", "happiness", "sadness", "surprise"]


def test_labels_of_clips(videos, tmp_path):
    """Half are right; a clip without a row, and one that nobody could read, count as wrong."""
    clips = sorted(videos.labels)
    described = {
        clip: videos.labels[clip] if context % 2 else "pride" for context, clip in enumerate(clips[:-1])
    }
    path = write_rows(
        tmp_path / "mine.csv", [{"clip_id": clip, "label": label} for clip, label in described.items()]
    )
    scores = score(path, videos.work)["classes"]
    truth = [*(videos.labels[clip] for clip in clips), "anger"]
    predicted = [*(described.get(clip, "none") for clip in clips), "none"]
    right = [one == other for one, other in zip(truth, predicted, strict=True)]
    assert scores["metrics"]["n"] == len(clips) + 1
    assert scores["metrics"]["n_missing"] == 2
    assert scores["metrics"]["war"] == pytest.approx(np.mean(right))
    labels = sorted(set(truth))
    assert scores["metrics"]["uar"] == pytest.approx(
        recall_score(truth, predicted, labels=labels, average="macro", zero_division=0)
    )
    assert scores["rejected_test"] == {"ingest empty_file": 1}
    reported = scores["details"]["outside"]
    assert reported["file"] == "mine.csv"
    assert reported["format"] == "csv"
    assert reported["without_prediction"] == 2
    assert (reported["rows"], reported["rows_matched"], reported["rows_unmatched"]) == (13, 13, 0)
    assert any(
        f"2 of 15 test samples have no prediction, and count as wrong: {clips[-1]}, {LOST}" in note
        for note in scores["details"]["notes"]
    )


def four(pictures, generator):
    """Random probabilities of four classes for the test pictures."""
    return {clip: generator.dirichlet(np.ones(4)) for clip in pictures.labels}


@pytest.mark.parametrize("scale", [1, 100])
@pytest.mark.parametrize("kind", ["csv", "parquet", "semicolons"])
def test_probabilities_of_pictures(pictures, tmp_path, scale, kind):
    drawn = four(pictures, np.random.default_rng(3))
    rows = [
        {
            "path": f"/elsewhere/pictures/{clip}.png",
            **dict(zip(["ANGRY", "happy", "Sad", "surprise"], scale * p, strict=True)),
        }
        for clip, p in drawn.items()
    ]
    path = tmp_path / f"p.{kind}"
    frame = pd.DataFrame(rows)
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "semicolons":
        frame.to_csv(path, sep=";", decimal=",")
    else:
        frame.to_csv(path)
    scores = score(path, pictures.work)["classes"]
    truth = list(pictures.labels.values())
    predicted = [FOUR[int(np.argmax(p))] for p in drawn.values()]
    assert scores["classes"] == FOUR
    assert scores["metrics"]["war"] == pytest.approx(accuracy_score(truth, predicted))
    assert scores["metrics"]["uar"] == pytest.approx(recall_score(truth, predicted, average="macro"))
    assert scores["metrics"]["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert ("scores are percent, read as probabilities" in scores["details"]["notes"]) == (scale == 100)
    kept = read_predictions(pictures.work / "runs" / "p" / "0" / "0")
    by_clip = dict(zip(kept.clip_ids, kept.probabilities, strict=True))
    for clip, p in drawn.items():
        assert by_clip[clip] == pytest.approx(p, abs=1e-6)


def test_frames_of_a_clip_are_averaged(videos, tmp_path):
    """The mean, and not the class of most frames: two frames are sure, six lean to another class."""
    lean = {"anger": 0.45, "pride": 0.55}
    sure = {"anger": 0.99, "pride": 0.01}
    rows = [
        {"file": f"{clip}.mp4", "frame": frame, **(sure if frame < 2 else lean)}
        for clip in videos.labels
        for frame in range(N_FRAMES)
    ]
    path = write_rows(tmp_path / "frames.csv", rows)
    scores = score(path, videos.work)["classes"]
    mean = np.mean([sure["anger"]] * 2 + [lean["anger"]] * 6)
    assert mean > 0.5
    kept = read_predictions(videos.work / "runs" / "frames" / "0" / "0")
    assert {label for label in kept.predicted if label} == {"anger"}
    row = kept.sample_ids.index("c000")
    assert kept.probabilities[row, kept.classes.index("anger")] == pytest.approx(mean)
    assert (
        "rows are of frames: a clip has the mean of the probabilities of its frames"
        in scores["details"]["notes"]
    )
    assert scores["details"]["kind"] == "video"


def test_frames_with_labels_alone_vote(videos, tmp_path):
    rows = [
        {"clip": clip, "frame": frame, "label": "pride" if frame in (1, 2, 3) else "anger"}
        for clip in videos.labels
        for frame in range(N_FRAMES - 1)
    ]
    scores = score(write_rows(tmp_path / "votes.csv", rows), videos.work)["classes"]
    kept = read_predictions(videos.work / "runs" / "votes" / "0" / "0")
    row = kept.sample_ids.index("c003")
    assert kept.predicted[row] == "anger"
    assert kept.probabilities[row, kept.classes.index("pride")] == pytest.approx(3 / 7)
    assert "rows are of frames: a clip has the class of most frames" in scores["details"]["notes"]


def test_a_label_beside_probabilities_is_scored(pictures, tmp_path):
    rows = [
        {"clip_id": clip, "label": label, **{name: 0.7 if name == "anger" else 0.1 for name in FOUR}}
        for clip, label in pictures.labels.items()
    ]
    scores = score(write_rows(tmp_path / "both.csv", rows), pictures.work)["classes"]
    assert scores["metrics"]["war"] == 1.0
    assert "the label of 15 rows is not the likeliest class, and is scored" in scores["details"]["notes"]


@pytest.mark.slow
def test_the_image_set_of_videos(videos, tmp_path):
    """Images are named by clip and frame, or by their ids."""
    table = pd.concat(pd.read_parquet(path) for path in (videos.work / "manifests/images").glob("test-*"))
    table = table[table.parent_id.isna()]
    rows = [
        {"clip_id": row.clip_id, "frame": row.frame_index, "label": row.label} for row in table.itertuples()
    ]
    scores = score(write_rows(tmp_path / "a.csv", rows), videos.work, "--samples", "images")["classes"]
    assert scores["details"]["kind"] == "image"
    assert scores["metrics"]["n"] == len(table) + 1
    assert scores["metrics"]["n_missing"] == 1
    named = [{"file": f"crops/{row.image_id}.jpg", "label": row.label} for row in table.itertuples()]
    again = score(write_rows(tmp_path / "b.csv", named), videos.work, "--samples", "images")["classes"]
    assert again["metrics"] == scores["metrics"]


@pytest.mark.slow
def test_all_folds_are_tested_together(tmp_path):
    folded = folds(tmp_path)
    reported = dict.fromkeys(folded.labels, "anger")
    rows = [{"clip_id": clip, "label": label} for clip, label in reported.items()]
    scores = score(write_rows(tmp_path / "all.csv", rows), folded.work)["classes"]
    assert scores["metrics"]["n"] == 12
    assert scores["metrics"]["uar"] == pytest.approx(1 / 3)
    assert scores["details"]["protocol"]["label"] == "3-fold by clip, all folds tested together"
    assert scores["details"]["protocol"]["folds"] == ["0"]


def test_rows_without_a_sample_are_counted_and_named(videos, tmp_path):
    rows = [{"clip_id": "c000", "label": "anger"}, {"clip_id": "c001", "label": "anger"}]
    rows += [{"clip_id": f"x{number}", "label": "pride"} for number in range(7)]
    rows.append({"clip_id": LOST, "label": "anger"})
    scores = score(write_rows(tmp_path / "more.csv", rows), videos.work)["classes"]
    reported = scores["details"]["outside"]
    assert reported["rows_unmatched"] == 9
    assert reported["unmatched"] == ["c001", "x0", "x1", "x2", "x3"]
    (note,) = [note for note in scores["details"]["notes"] if "match no test sample" in note]
    assert note == (
        "9 rows of 10 match no test sample, 1 of them of other parts or frames, 1 of clips that could not be "
        "read here: c001, x0, x1, x2, x3, ..."
    )
    assert scores["metrics"]["war"] == pytest.approx(1 / 15)


@pytest.mark.parametrize("empty", ["", "nan", "NaN"])
def test_empty_cells_are_no_prediction(pictures, tmp_path, empty):
    rows = [
        {"clip_id": clip, **dict.fromkeys(FOUR, empty if number == 0 else 0.25)}
        for number, clip in enumerate(pictures.labels)
    ]
    scores = score(write_rows(tmp_path / "gaps.csv", rows), pictures.work)["classes"]
    assert scores["metrics"]["n_missing"] == 1
    assert scores["details"]["outside"]["without_prediction"] == 1


def test_numbers_of_rows_that_pandas_writes_are_no_class(pictures, tmp_path):
    table = pd.DataFrame([{"clip_id": clip, **dict.fromkeys(FOUR, 0.25)} for clip in ["x", *pictures.labels]])
    table.drop(index=0).to_parquet(tmp_path / "cut.parquet")
    scores = score(tmp_path / "cut.parquet", pictures.work)["classes"]
    assert scores["metrics"]["n_missing"] == 0
    assert sorted(scores["classes"]) == FOUR


def test_a_folder_with_a_table_per_clip(videos, tmp_path):
    for clip, label in videos.labels.items():
        write_rows(tmp_path / "tables" / f"{clip}.csv", [{"frame": 0, "label": label}])
    scores = score(tmp_path / "tables", videos.work)["classes"]
    assert scores["experiment"] == "tables"
    assert scores["metrics"]["war"] == pytest.approx(14 / 15)


def test_seeds_of_one_program(pictures, tmp_path):
    for seed in (0, 1):
        rows = [{"clip_id": clip, "label": FOUR[seed]} for clip in pictures.labels]
        score(write_rows(tmp_path / f"s{seed}.csv", rows), pictures.work, "--name", "prog", "--seed", seed)
    done = cli("leaderboard", pictures.work, "--json")
    (board,) = json.loads(done.stdout)
    assert board["rows"][0][1] == "prog"
    assert board["rows"][0][3] == pytest.approx([0.25, 0.0])


def test_results_follow_from_the_file(pictures, tmp_path):
    rows = [{"clip_id": clip, "label": label} for clip, label in pictures.labels.items()]
    path = write_rows(tmp_path / "same.csv", rows)
    score(path, pictures.work)
    folder = pictures.work / "runs" / "same" / "0" / "0"
    before, result = (folder / "predictions.parquet").read_bytes(), read_result(folder)
    score(path, pictures.work)
    assert (folder / "predictions.parquet").read_bytes() == before
    assert read_result(folder) == result
