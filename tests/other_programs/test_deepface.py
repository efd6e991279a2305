"""JSON of DeepFace: percent of seven expressions, in the three ways in which it is kept."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.reading import read_prediction_table
from tests.support.outside_work import cli, score

SEVEN = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
LEFT_OUT = [word for name in ("disgust", "fear", "neutral") for word in ("--map", f"{name}=")]
NAMES = {"angry": "anger", "happy": "happiness", "sad": "sadness", "surprise": "surprise"}


def result(seed):
    """What ``DeepFace.analyze(..., actions=["emotion"])`` gives of a picture with one face."""
    values = 100 * np.random.default_rng(seed).dirichlet([4, 1, 1, 4, 4, 4, 1])
    emotion = dict(zip(SEVEN, values.tolist(), strict=True))
    return [
        {
            "emotion": emotion,
            "dominant_emotion": max(emotion, key=emotion.__getitem__),
            "region": {"x": 4, "y": 5, "w": 50, "h": 52, "left_eye": [40, 20], "right_eye": [20, 20]},
            "face_confidence": 0.93,
        }
    ]


def test_an_object_of_files(pictures, tmp_path):
    answers = {f"/data/pictures/{clip}.png": result(context) for context, clip in enumerate(pictures.labels)}
    first, *_ = answers
    answers[first] = []  # no face
    (tmp_path / "deep.json").write_text(json.dumps(answers))
    scores = score(tmp_path / "deep.json", pictures.work, *LEFT_OUT)["classes"]
    dominant = [one[0]["dominant_emotion"] if one else "none" for one in answers.values()]
    predicted = [NAMES.get(name, "none") for name in dominant]
    assert scores["details"]["outside"]["format"] == "deepface"
    assert scores["metrics"]["war"] == pytest.approx(
        accuracy_score(list(pictures.labels.values()), predicted)
    )
    assert scores["metrics"]["n_missing"] == predicted.count("none")
    assert "scores are percent, read as probabilities" in scores["details"]["notes"]


def test_lists_with_files_and_single_results(tmp_path):
    (face,) = result(1)
    (tmp_path / "list.json").write_text(
        json.dumps([{**face, "file": "a.png"}, [{**face, "img_path": "b.png"}]])
    )
    prediction_table = read_prediction_table(tmp_path / "list.json")
    assert [row.name for row in prediction_table.rows] == ["a.png", "b.png"]
    assert prediction_table.rows[1].where == "list.json result 2 result 1"
    (tmp_path / "c.json").write_text(json.dumps(result(1)))
    (only,) = read_prediction_table(tmp_path / "c.json").rows
    assert (only.name, only.label, only.frame) == ("c", face["dominant_emotion"], None)
    assert only.scores == tuple(face["emotion"].values())


def test_two_faces_of_one_picture(pictures, tmp_path):
    clip = next(iter(pictures.labels))
    (tmp_path / "two.json").write_text(json.dumps({f"{clip}.png": result(1) + result(2)}))
    done = cli("score", tmp_path / "two.json", "--workdir", pictures.work, *LEFT_OUT)
    assert done.exit_code == 4
    assert "two rows are of one sample" in done.stderr
    assert "result 1" in done.stderr
    assert "result 2" in done.stderr
    assert not (pictures.work / "runs").exists()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{"a.png": 3, "dominant_emotion": 1}', "expected the name of a class"),
        ('[{"emotion": {"happy": "much"}, "dominant_emotion": "happy"}]', "values that are no numbers"),
        ('[{"emotion": 5, "dominant_emotion": "happy"}]', "expected percent of"),
        ('[{"dominant_emotion": "happy", "frame": -1}]', "frame is '-1'"),
        ('[{"dominant_emotion": "happy"}', "is not JSON"),
        ('[{"mood": "happy"}]', "has columns of no format that is known"),
    ],
)
def test_other_documents(tmp_path, document, message):
    (tmp_path / "x.json").write_text(document)
    with pytest.raises(DatasetError, match=message):
        read_prediction_table(tmp_path / "x.json")
