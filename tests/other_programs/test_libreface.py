"""Tables of LibreFace: names of expressions without probabilities, presences beside intensities."""

from collections import Counter

import pandas as pd
import pytest

from fgbench.inference.other_programs.reading import read_prediction_table
from tests.support.outside_work import N_FRAMES, basic, score

SAYS = ["Happiness", "Anger", "Anger", "Sadness"]


def table_of(clip, n_frames=N_FRAMES):
    """What LibreFace writes of a video: the frames lie in a folder that is called as the video."""
    return pd.DataFrame(
        {
            "frame_idx": range(n_frames),
            "frame_time_in_ms": [40.0 * frame for frame in range(n_frames)],
            "path_to_frame": [f"./tmp/{clip}/{frame:010d}.png" for frame in range(n_frames)],
            "aligned_frame_path": [f"./tmp/{clip}/{frame:010d}_aligned.png" for frame in range(n_frames)],
            "facial_expression": [SAYS[(int(clip[1:]) + frame) % 4] for frame in range(n_frames)],
            "au_1": [frame % 2 for frame in range(n_frames)],
            "au_24": 0,
            "au_1_intensity": 3.2,
            "au_12_intensity": 0.0,
        }
    )


def test_the_expression_of_most_frames(videos, tmp_path):
    tables = [table_of(clip, 7) for clip in videos.labels]
    pd.concat(tables).to_csv(tmp_path / "libre.csv")
    scores = score(tmp_path / "libre.csv", videos.work)
    right = n = 0
    for clip, label in videos.labels.items():
        reported = Counter(SAYS[(int(clip[1:]) + frame) % 4].lower() for frame in range(7))
        if basic(label) != "love":
            n += 1
            most = max(sorted(reported), key=reported.__getitem__)
            right += most == basic(label)
    assert scores["classes"]["details"]["outside"]["format"] == "libreface"
    assert scores["classes"]["metrics"]["n"] == n + 1
    assert scores["classes"]["metrics"]["war"] == pytest.approx(right / (n + 1))
    (unit,) = scores["units"]["units"]
    assert unit["name"] == "au01"


def test_presences_come_before_intensities(tmp_path):
    table_of("c003").to_csv(tmp_path / "any.csv")
    prediction_table = read_prediction_table(tmp_path / "any.csv")
    assert (prediction_table.format, prediction_table.units, prediction_table.classes) == (
        "libreface",
        ("au01", "au24"),
        (),
    )
    assert [(row.name, row.frame, row.units) for row in prediction_table.rows[:2]] == [
        ("c003", 0, (0.0, 0.0)),
        ("c003", 1, (1.0, 0.0)),
    ]
    assert prediction_table.rows[0].label == "Sadness"


def test_a_picture(tmp_path):
    row = {
        "input_image_path": "faces/a.png",
        "aligned_image_path": "tmp/a.png",
        "facial_expression": "Neutral",
        "au_1_intensity": 2.5,
    }
    pd.DataFrame([row]).to_csv(tmp_path / "image_results.csv")
    (actual,) = read_prediction_table(tmp_path / "image_results.csv").rows
    assert (actual.name, actual.frame, actual.label, actual.units) == ("faces/a.png", None, "Neutral", (1.0,))
