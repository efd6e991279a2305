"""Landmarks steadied by the frames around: less trembling, no lag, nothing across cuts and gaps."""

import numpy as np
import pytest
from scipy.ndimage import convolve1d

from fgbench.config import FacesConfig
from fgbench.faces.clip_faces import observe_clip
from fgbench.faces.geometry import apply_transform, mean_face
from fgbench.faces.observation import Observation
from fgbench.faces.smoothing import Smoother, steadied
from fgbench.media.video import ImageFrame
from tests.support.face_frames import error_percent, frames
from tests.support.fast_heads import Swing, drawn_swing

SIDE_PX = 200.0


def face():
    """(68, 2) points: the mean face, 200 px a side, with any jaw."""
    jaw = np.column_stack([np.linspace(0.0, 1.0, 17), np.full(17, 1.1)])
    return np.concatenate([jaw, mean_face()]) * SIDE_PX + (50, 40)


def test_a_face_at_rest_is_averaged_as_by_a_binomial_filter():
    rng = np.random.default_rng(0)
    tracks = face() + rng.normal(0, 0.0002 * SIDE_PX, (30, 68, 2))
    expected = convolve1d(tracks, [0.25, 0.5, 0.25], axis=0)
    got = np.stack([steadied(*tracks[index - 1 : index + 2]) for index in range(1, 29)])
    np.testing.assert_allclose(got, expected[1:29], atol=2e-4)
    assert (got - face()).std() < 0.65 * (tracks - face()).std()  # sqrt(3 / 8) = 0.61 of independent errors


@pytest.mark.parametrize("step_px", [1.0, 20.0, 100.0])
def test_even_motion_does_not_lag(step_px):
    positions = [face() + index * step_px for index in range(3)]
    np.testing.assert_allclose(steadied(*positions), positions[1], atol=1e-9)


def test_a_lid_that_blinks_for_one_frame_stays_shut():
    """It moves by 6 % of the face for one frame; of the way back 9 % are taken, not half."""
    open_eye, shut = face(), face()
    shut[[37, 38, 43, 44], 1] += 0.06 * SIDE_PX
    got = steadied(open_eye, shut, open_eye)
    back = (shut - got)[[37, 38, 43, 44], 1] / (0.06 * SIDE_PX)
    assert (back > 0).all()
    assert (back < 0.16).all()
    np.testing.assert_array_equal(got[17:27], shut[17:27])


def test_five_points_and_turned_faces_are_steadied_alike():
    """The same in any frame of the picture: a similarity of the points is one of the result."""
    rng = np.random.default_rng(1)
    positions = face() + rng.normal(0, 1.0, (3, 68, 2))
    turn = np.array([[0.0, -1.5, 300.0], [1.5, 0.0, 20.0]])
    moved = [apply_transform(turn, one) for one in positions]
    np.testing.assert_allclose(steadied(*moved), apply_transform(turn, steadied(*positions)), atol=1e-6)
    five = np.array([[150.0, 80], [120, 80], [60, 80], [90, 80], [105, 130]])
    trembled = steadied(five, five + 0.5, five)
    assert ((trembled > five) & (trembled < five + 0.3)).all()


def seen(index, landmarks, *, status="ok", track_id=0):
    picture = ImageFrame(pixels=np.zeros((4, 4, 3), np.uint8), index=index)
    observation = Observation(
        status=status,
        track_id=track_id,
        landmarks=None if landmarks is None else landmarks.astype(np.float32),
    )
    return picture, observation


def smoothed(items):
    smoother = Smoother(is_on=True)
    result = [one for item in items for one in smoother.feed([item])]
    return [*result, *smoother.finish()]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"index": 1}, id="neighbour"),
        pytest.param({"index": 0}, id="a frame is left out"),
        pytest.param({"index": 1, "track_id": 1}, id="another person"),
        pytest.param({"index": 1, "status": "unsure"}, id="not sure"),
        pytest.param({"index": 1, "status": "no_face", "landmarks": None, "track_id": None}, id="no face"),
    ],
)
def test_only_neighbours_of_the_same_face_count(other):
    before = {"landmarks": face(), **other}
    items = [seen(**before), seen(2, face() + 1), seen(3, face())]
    got = smoothed(items)
    assert [frame.index for frame, _ in got] == [item[0].index for item in items]
    is_moved = not np.array_equal(got[1][1].landmarks, items[1][1].landmarks)
    assert is_moved == (other == {"index": 1})
    for index in (0, 2):
        assert got[index] is items[index]


def test_what_was_seen_steadies_and_not_what_was_told():
    """Each frame uses its neighbours as the predictor saw them, so the result has no memory."""
    rng = np.random.default_rng(2)
    tracks = face() + rng.normal(0, 1.0, (6, 68, 2))
    got = smoothed([seen(index, one) for index, one in enumerate(tracks)])
    single = tracks.astype(np.float32)
    expected = steadied(*single[2:5]).astype(np.float32)
    np.testing.assert_array_equal(got[3][1].landmarks, expected)


@pytest.mark.slow
def test_drawn_clips_tremble_less_and_err_no_more(models):
    """Landmarks of a head that nods a little and speaks; error against the exact places, without their mean
    difference, which is the predictor's own."""
    shown, marks = drawn_swing(Swing(across_px=10, down_px=5, turn_deg=5, period=20), person=2, n_frames=30)
    varying, steps, errors = {}, {}, {}
    for smooth in (False, True):
        actual = [item for _, item in observe_clip(frames(shown), FacesConfig(smooth=smooth), models)]
        assert {item.status for item in actual} == {"ok"}
        away = np.stack([item.landmarks for item in actual]).astype(np.float64) - np.stack(marks)
        varying[smooth] = np.sqrt(((away - away.mean(0)) ** 2).mean())
        steps[smooth] = np.sqrt((np.diff(away, axis=0) ** 2).mean())
        errors[smooth] = np.mean(
            [error_percent(item.landmarks, mark) for item, mark in zip(actual, marks, strict=True)]
        )
    assert steps[True] < 0.7 * steps[False]
    assert varying[True] < 0.95 * varying[False]
    assert errors[True] < errors[False]


@pytest.mark.slow
def test_chips_are_cut_by_the_steadied_landmarks(models):
    shown, _ = drawn_swing(Swing(across_px=10, period=20), person=2, n_frames=4)
    actual = [item for _, item in observe_clip(frames(shown), FacesConfig(), models)]
    raw = [item for _, item in observe_clip(frames(shown), FacesConfig(smooth=False), models)]
    assert not np.array_equal(actual[1].landmarks, raw[1].landmarks)
    assert not np.array_equal(actual[1].transform, raw[1].transform)
    assert np.array_equal(actual[0].landmarks, raw[0].landmarks)
    expected = steadied(*[item.landmarks for item in raw[:3]]).astype(np.float32)
    np.testing.assert_array_equal(actual[1].landmarks, expected)
