"""Quality of landmarks: agreement with the detection and with the frames around; made by hand."""

import numpy as np
import pytest

from fgbench.faces.detection import Detection
from fgbench.faces.geometry import mean_face, square_box
from fgbench.faces.locating import distance
from fgbench.faces.observation import Observation
from fgbench.faces.placement import Placement
from fgbench.faces.quality import Judge, agreement_with_detection
from fgbench.faces.still_picture import ImageFrame

FACE = 100 * np.vstack([np.zeros((17, 2)), mean_face()])
PLAIN = np.zeros((4, 4, 3), np.uint8)


def item(index, landmarks=FACE, *, quality=1.0, status="ok", track_id=0):
    observation = Observation(
        status=status, track_id=track_id, landmarks=landmarks.astype(np.float32), quality=quality
    )
    return ImageFrame(pixels=PLAIN, index=index), observation


def judged(items, min_quality=0.5):
    judge = Judge(min_quality)
    reported = [one for each in items for one in judge.feed([each])]
    assert len(reported) == max(0, len(items) - 1)  # each waits for the one after it
    return [actual for _, actual in [*reported, *judge.finish()]]


def opened(share):
    """The face with its lower lip moved down by a share of the mean face's square."""
    moved = FACE.copy()
    moved[55:60, 1] += 100 * share
    return moved


def test_distance_is_one_where_landmarks_are_found_anew():
    position = Placement(np.array([50.0, 40.0]), 20.0, 0.0)
    assert distance(position, Detection(square_box(np.array([53.0, 40.0]), 20.0), 1.0)) == pytest.approx(1)
    wider = Detection(square_box(np.array([50.0, 40.0]), 20.0 * np.exp(0.25)), 1.0)
    assert distance(position, wider) == pytest.approx(1)
    assert agreement_with_detection(0.0) == 1
    assert agreement_with_detection(1.0) == 0.5


def test_a_frame_that_agrees_with_neither_neighbour_is_unsure():
    wrong = opened(0.3)
    change = np.sqrt(5 * 0.3**2 / 51)  # the lip is not among the points that the face is aligned by
    actual = judged([item(0), item(1), item(2, wrong), item(3), item(4)])
    assert [one.status for one in actual] == ["ok", "ok", "unsure", "ok", "ok"]
    assert actual[2].quality == pytest.approx(1 / (1 + (change / 0.045) ** 2), rel=1e-4)
    assert [one.quality for one in (*actual[:2], *actual[3:])] == pytest.approx([1] * 4)


def test_an_expression_that_begins_at_once_is_no_fault():
    actual = judged([item(0), item(1), item(2, opened(0.3)), item(3, opened(0.3))])
    assert [one.status for one in actual] == ["ok"] * 4


def test_moving_and_turning_the_head_changes_no_shape():
    turned = FACE @ np.array([[0.8, -0.6], [0.6, 0.8]]) * 1.3 + 40
    assert [one.quality for one in judged([item(0), item(1, turned), item(2)])] == pytest.approx([1] * 3)


def test_what_there_is_nothing_to_compare_with_is_judged_by_the_detection():
    wrong = opened(0.3)
    assert judged([item(0, wrong, quality=0.9)])[0].quality == 0.9
    apart = judged([item(0), item(5, wrong), item(9)])
    other = judged([item(0), item(1, wrong, track_id=1), item(2, track_id=2)])
    assert [one.status for one in (*apart, *other)] == ["ok"] * 6


def test_bounds_and_other_statuses():
    low = item(0, quality=0.2)
    assert judged([low])[0].status == "unsure"
    assert judged([low], min_quality=0.0)[0].status == "ok"
    assert judged([item(0, quality=0.2, status="large_pose")])[0].status == "large_pose"
    nothing = (ImageFrame(pixels=PLAIN, index=1), Observation(status="no_face"))
    assert [one.status for one in judged([item(0), nothing, item(2)])] == ["ok", "no_face", "ok"]


def test_five_points():
    five = 100 * mean_face()[[19, 22, 25, 28, 16]]
    moved = five.copy()
    moved[4] += [0, 60]
    assert [one.status for one in judged([item(0, five), item(1, moved), item(2, five)])][1] == "unsure"
