"""dlib, trained on photographs, finds the drawn faces and puts its landmarks where the truth has them.

All figures are for the 33 clips of seed 21 with six persons at 1280x720, one frame each: the key frame.
"""

import importlib.util
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest

from fgbench.synthetic.clip import draw_clip
from fgbench.synthetic.face import Head
from fgbench.synthetic.film import Film
from fgbench.synthetic.plan import SynthOptions, plan
from fgbench.synthetic.render import Renderer

OPTIONS = SynthOptions(clips_per_class=1, subjects=6, seed=21)


@pytest.fixture(scope="module")
def detected():
    """Yaw and landmark errors (in distances of the outer eye corners) per clip; None without a face."""
    folder = Path(importlib.util.find_spec("face_recognition_models").submodule_search_locations[0])
    predictor = dlib.shape_predictor(str(folder / "models" / "shape_predictor_68_face_landmarks.dat"))
    detector = dlib.get_frontal_face_detector()
    rows = []
    for one in plan(OPTIONS):
        clip = draw_clip(one, OPTIONS)
        number = clip.performance.timing.key_frame
        units, pose = clip.performance.activations[number], clip.pose(number)
        seen = Head(clip.person, clip.scene.camera).seen(units, pose)
        renderer = Renderer(clip.person, clip.scene, OPTIONS.width, OPTIONS.height)
        film = Film(renderer.backdrop, clip.scene)
        planes = film.frame(*renderer.patch(units, pose, gaze=(0.0, 0.0)), number)
        rgb = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)
        middle = dlib.point(*(int(v) for v in seen.landmarks_px[30]))
        boxes = [box for box in detector(rgb, 0) if box.contains(middle)]
        error = None
        if boxes:
            parts = predictor(rgb, boxes[0]).parts()
            eye_distance = np.linalg.norm(seen.landmarks_px[45] - seen.landmarks_px[36])
            marks = np.array([(part.x, part.y) for part in parts])
            error = np.linalg.norm(marks - seen.landmarks_px, axis=1) / eye_distance
        rows.append((abs(seen.pose.yaw_deg), error))
    return rows


@pytest.mark.slow
def test_every_face_within_20_degrees_is_found(detected):
    assert all(error is not None for yaw, error in detected if yaw <= 20)
    assert sum(yaw <= 20 for yaw, _ in detected) >= 28


@pytest.mark.slow
def test_landmarks_agree(detected):
    errors = np.stack([error for _, error in detected if error is not None])
    assert np.median(errors[:, 17:]) <= 0.035  # measured: 0.028
    assert np.median(errors[:, :17]) <= 0.06  # the jaw has no corners; measured: 0.047
    # Every single landmark of eyes, nose, brows and mouth agrees, not only their mean; measured: 0.054.
    assert np.median(errors[:, 17:], axis=0).max() <= 0.065
