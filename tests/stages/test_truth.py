"""The whole pipeline against the exact truth of the drawn data set, at 720p.

One clip per class, seed 5. The figures below are what the pipeline has to reach.
"""

import numpy as np
import pyarrow.parquet as pq
import pytest

from fgbench.config import load_prepare
from fgbench.preparation import prepare
from fgbench.storage import read_rows
from fgbench.synthetic.dataset import SynthOptions, generate
from fgbench.workfolders.layout import MANIFESTS

SEED = 5
OUTER_EYE_CORNERS = (36, 45)


@pytest.fixture(scope="module")
def detected(tmp_path_factory):
    """Truth and result by clip and frame, and the clips' rows."""
    here = tmp_path_factory.mktemp("truth")
    root = generate(here / "data", SynthOptions(clips_per_class=1, subjects=6, seed=SEED), jobs=2)
    config = load_prepare("demo")
    # What follows from faces has no truth here.
    config = config.model_copy(
        update={
            "augment": config.augment.model_copy(update={"balance": "none"}),
            "lbp": config.lbp.model_copy(update={"enabled": False}),
            "sample": config.sample.model_copy(update={"before": 0, "after": 0}),
        }
    )
    prepare.run(config, root, here / "work", jobs=2)
    truth = {
        (row["clip_id"], row["frame_index"]): row for row in pq.read_table(root / "truth.parquet").to_pylist()
    }
    columns = ["clip_id", "frame_index", "status", "landmarks", "yaw_deg", "transform"]
    faces = {}
    for path in sorted((here / "work" / MANIFESTS / "faces").iterdir()):
        faces |= {(row["clip_id"], row["frame_index"]): row for row in read_rows(path, columns)}
    clips = {row["clip_id"]: row for row in read_rows(here / "work" / MANIFESTS / "clips.parquet")}
    return truth, faces, clips


def points(row):
    return np.asarray(row["landmarks"], float).reshape(68, 2)


@pytest.mark.slow
def test_every_frame_has_a_row(detected):
    truth, faces, clips = detected
    assert faces.keys() == truth.keys()
    assert len(clips) == 33


@pytest.mark.slow
def test_faces_within_20_degrees_are_found(detected):
    truth, faces, _ = detected
    frontal = [key for key, row in truth.items() if abs(row["yaw_deg"]) <= 20]
    assert len(frontal) > 1000
    with_face = sum(faces[key]["status"] == "ok" for key in frontal)
    assert with_face / len(frontal) >= 0.99


@pytest.mark.slow
def test_landmarks_are_within_5_percent_of_the_eye_distance(detected):
    truth, faces, _ = detected
    inner, jaw = [], []
    for key, row in truth.items():
        if faces[key]["status"] != "ok":
            continue
        exact = points(row)
        left, right = exact[list(OUTER_EYE_CORNERS)]
        error = np.linalg.norm(points(faces[key]) - exact, axis=1) / np.linalg.norm(right - left)
        inner.append(error[17:])
        jaw.append(error[:17])
    assert np.median(np.concatenate(inner)) <= 0.05
    # The jaw line has no corners to hold on to; it is reported apart and held more loosely.
    assert np.median(np.concatenate(jaw)) <= 0.15


@pytest.mark.slow
def test_key_frames_are_the_true_ones(detected):
    truth, _, clips = detected
    exact = {clip: frame for (clip, frame), row in truth.items() if row["is_key_frame"]}
    assert {clip: row["key_frame"] for clip, row in clips.items()} == exact


@pytest.mark.slow
def test_yaw_follows_the_truth(detected):
    truth, faces, _ = detected
    pairs = [
        (row["yaw_deg"], faces[key]["yaw_deg"]) for key, row in truth.items() if faces[key]["status"] == "ok"
    ]
    exact, estimated = np.array(pairs, float).T
    assert np.corrcoef(exact, estimated)[0, 1] > 0.9
    assert np.median(np.abs(exact - estimated)) < 4
