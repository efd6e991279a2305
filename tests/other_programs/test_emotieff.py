"""Tables of scores of EmotiEffLib and HSEmotion."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from fgbench.inference.other_programs.reading import read_prediction_table
from tests.support.outside_work import cli, score

EIGHT = ["Anger", "Contempt", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise"]


def scores_table(clips, *, logits=False):
    """Scores of a multi-task model: valence and arousal follow the classes."""
    generator, rows = np.random.default_rng(7), []
    for clip in clips:
        values = generator.normal(size=8)
        if not logits:
            values = np.exp(values) / np.exp(values).sum()
        row = {"image": f"{clip}.png", "emotion": EIGHT[int(np.argmax(values))]}
        rows.append({**row, **dict(zip(EIGHT, values, strict=True)), "Valence": -0.3, "Arousal": 0.2})
    return pd.DataFrame(rows)


LEFT_OUT = [word for name in ("Contempt", "Disgust", "Fear", "Neutral") for word in ("--map", f"{name}=")]


def test_classes_that_are_left_out(pictures, tmp_path):
    """The label of the table counts where it is a class of the data; else the picture has no prediction."""
    table = scores_table(pictures.labels)
    table.to_csv(tmp_path / "eff.csv", index=False)
    scores = score(tmp_path / "eff.csv", pictures.work, *LEFT_OUT)["classes"]
    names = {"Anger": "anger", "Happiness": "happiness", "Sadness": "sadness", "Surprise": "surprise"}
    predicted = [names.get(name, "none") for name in table.emotion]
    truth = list(pictures.labels.values())
    assert scores["metrics"]["n_missing"] == predicted.count("none") > 0
    assert scores["metrics"]["uar"] == pytest.approx(
        recall_score(truth, predicted, labels=sorted(names.values()), average="macro", zero_division=0)
    )
    table.drop(columns="emotion").to_csv(tmp_path / "bare.csv", index=False)
    scores = score(tmp_path / "bare.csv", pictures.work, *LEFT_OUT)["classes"]
    likeliest = [names[name] for name in table[list(names)].idxmax(axis=1)]
    assert scores["metrics"]["n_missing"] == 0
    assert scores["metrics"]["uar"] == pytest.approx(recall_score(truth, likeliest, average="macro"))


def test_classes_of_the_program_that_the_data_lack(pictures, tmp_path):
    scores_table(pictures.labels).to_csv(tmp_path / "eff.csv", index=False)
    done = cli("score", tmp_path / "eff.csv", "--workdir", pictures.work)
    assert done.exit_code == 3
    assert "'Contempt' is none of the classes, which the data set does not have" in done.stderr
    assert "--map Contempt= --map Disgust= --map Fear= --map Neutral=" in done.stderr
    assert not (pictures.work / "runs").exists()


def test_logits_are_refused(pictures, tmp_path):
    scores_table(pictures.labels, logits=True).to_csv(tmp_path / "eff.csv", index=False)
    done = cli("score", tmp_path / "eff.csv", "--workdir", pictures.work, *LEFT_OUT)
    assert done.exit_code == 4
    assert "eff.csv line 2 (test/Happy/test-Happy-0.png) has a score below 0" in done.stderr
    assert "logits=False" in done.stderr


def test_models_of_seven_classes(tmp_path):
    table = scores_table(["a"]).drop(columns=["Contempt", "image"])
    table.assign(video="clip.mp4", frame=3).to_csv(tmp_path / "x.csv", index=False)
    prediction_table = read_prediction_table(tmp_path / "x.csv")
    assert prediction_table.format == "emotieff"
    assert list(prediction_table.classes) == [name for name in EIGHT if name != "Contempt"]
    assert (prediction_table.rows[0].name, prediction_table.rows[0].frame) == ("clip.mp4", 3)
