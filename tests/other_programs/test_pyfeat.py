"""Tables of py-feat: expressions and action units, against its own files and pandas."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, recall_score

from fgbench.inference.other_programs.reading import read_prediction_table
from tests.support.outside_work import N_FRAMES, basic, cli, present, score
from tests.support.pyfeat_reader import by_pyfeat

EMOTIONS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
BOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]


def write_fex(path, clips):
    """What ``Fex.to_csv`` writes of videos: a row per frame; one frame has no face."""
    generator, rows = np.random.default_rng(5), []
    for clip in clips:
        for frame in range(N_FRAMES):
            values = {
                **dict.fromkeys(BOX, 10.0),
                "Pitch": 0.1,
                "Roll": 0.0,
                "Yaw": -0.2,
                "AU01": generator.random(),
                "AU12": generator.random(),
                "AU43": 0.0,
                **dict(zip(EMOTIONS, generator.dirichlet(np.ones(7)), strict=True)),
            }
            if (clip, frame) == ("c003", 1):
                values = dict.fromkeys(values, np.nan)
            rows.append(
                {**values, "input": f"/data/videos/{clip}.mp4", "frame": frame, "approx_time": "00:00"}
            )
    table = pd.DataFrame(rows)
    table.to_csv(path, index=False)
    return table


def test_seven_expressions_on_the_33_classes_are_scored_above_them(videos, tmp_path):
    table = write_fex(tmp_path / "fex.csv", videos.labels)
    scores = score(tmp_path / "fex.csv", videos.work)
    mean = table.groupby(table.input.str[-8:-4])[EMOTIONS].mean()
    truth = {clip: basic(label) for clip, label in videos.labels.items() if basic(label) != "love"}
    predicted = mean.idxmax(axis=1)
    names = sorted(set(truth.values()))
    lost = [*truth.values(), "anger"], [*predicted[list(truth)], "none"]
    result = scores["classes"]
    assert result["classes"] == EMOTIONS
    assert result["metrics"]["n"] == len(truth) + 1
    assert result["metrics"]["uar"] == pytest.approx(
        recall_score(*lost, labels=names, average="macro", zero_division=0)
    )
    assert result["details"]["outside"]["level"] == "ekman7"
    assert result["details"]["outside"]["dropped"] == {"affection": 1}
    (note,) = [note for note in result["details"]["notes"] if "upper classes" in note]
    assert note.endswith("test samples without one of them are left out: 1 of affection")
    units = scores["units"]
    assert units["run"].endswith("runs/fex-units/0/0")
    for name, column, context in (("au01", "AU01", 0), ("au12", "AU12", 1)):
        messages, labels = [], []
        for row in table.itertuples():
            label = present(int(row.input[-7:-4]), row.frame).split(",")[context]
            if label:
                labels.append(int(label))
                messages.append(int(getattr(row, column) >= 0.5))
        (reported,) = [unit for unit in units["units"] if unit["name"] == name]
        assert reported["f1"] == pytest.approx(f1_score(labels, messages))
    assert units["details"]["outside"]["without_prediction"] == 1


def test_its_own_file_is_read_as_pandas_reads_it(face_clips):
    path = face_clips / "001.csv"
    table = pd.read_csv(path)
    prediction_table = read_prediction_table(path)
    assert prediction_table.format == "pyfeat"
    assert list(prediction_table.classes) == EMOTIONS
    assert len(prediction_table.units) == sum(name.startswith("AU") for name in table.columns) == 20
    assert [row.name for row in prediction_table.rows] == list(table.input)
    assert [row.frame for row in prediction_table.rows] == list(table.frame)
    np.testing.assert_array_equal([row.scores for row in prediction_table.rows], table[EMOTIONS])
    columns = [unit.upper() for unit in prediction_table.units]
    np.testing.assert_array_equal([row.units for row in prediction_table.rows], table[columns])


@pytest.mark.slow
def test_its_own_file_is_read_as_it_reads_it_itself(face_clips):
    path = face_clips / "001.csv"
    found, prediction_table = by_pyfeat("feat", path), read_prediction_table(path)
    rows = prediction_table.rows
    emotions = found["emotions"][list(prediction_table.classes)]
    np.testing.assert_allclose([row.scores for row in rows], emotions, atol=1e-9)
    assert list(found["aus"].columns) == [unit.upper() for unit in prediction_table.units]
    np.testing.assert_allclose([row.units for row in rows], found["aus"], atol=1e-9)


def test_numbers_of_pictures_in_a_list_are_no_frames(pictures, tmp_path):
    """Of pictures, ``frame`` counts through the list of files."""
    clips = [clip for clip, label in pictures.labels.items() if label != "surprise"]
    rows = [
        {
            **dict.fromkeys(BOX, 1.0),
            **{name: float(name == pictures.labels[clip]) for name in EMOTIONS},
            "input": f"{clip}.png",
            "frame": number,
        }
        for number, clip in enumerate(clips)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "p.csv")
    left_out = [word for name in ("disgust", "fear", "neutral") for word in ("--map", f"{name}=")]
    scores = score(tmp_path / "p.csv", pictures.work, *left_out)["classes"]
    assert scores["metrics"]["war"] == pytest.approx(15 / 20)
    assert scores["metrics"]["n_missing"] == 5


def test_expressions_that_were_not_asked_for_are_none(tmp_path):
    """py-feat without its model of expressions leaves their columns empty."""
    rows = [
        {
            **dict.fromkeys(BOX, 1.0),
            "AU01": 0.25,
            **dict.fromkeys(EMOTIONS, np.nan),
            "input": "c.mp4",
            "frame": 0,
        }
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "units.csv")
    table = read_prediction_table(tmp_path / "units.csv")
    assert (table.classes, table.units) == ((), ("au01",))
    assert [row.units for row in table.rows] == [(0.25,)]
    pd.DataFrame([{**rows[0], "AU01": np.nan}]).to_csv(tmp_path / "none.csv")
    assert list(read_prediction_table(tmp_path / "none.csv").classes) == EMOTIONS


def test_a_table_without_any_value_asks_for_no_names(pictures, tmp_path):
    """As `fgbench export faces --format fex` writes of data without labels of action units."""
    row = {**dict.fromkeys(BOX, 1.0), **dict.fromkeys(EMOTIONS, np.nan), "input": "c.mp4", "frame": 0}
    pd.DataFrame([row]).to_csv(tmp_path / "faces.csv", index=False)
    done = cli("score", tmp_path / "faces.csv", "--workdir", pictures.work)
    assert done.exit_code == 4
    assert "no row predicts a class: all cells of classes in faces.csv are empty" in done.stderr
    assert not (pictures.work / "runs" / "faces").exists()
