"""The frames of a video through a network: who counts, what is kept, what is shown."""

from dataclasses import dataclass

import numpy as np
import pytest

from fgbench.faces.observation import Observation
from fgbench.inference import frame_predictions
from fgbench.inference.frame_predictions import VisibleTime, predict_frames
from fgbench.media.video import ImageFrame
from fgbench.methods.protocol import FacePredictions

FPS = 25
STAY = {"frame_s": 1 / FPS, "min_track_s": 0.4, "min_track_score": 0.3}


@dataclass
class Network:
    """Tells two classes; the first pixel of a chip, as percents, is the probability of the first."""

    takes_single_faces = True

    def predict_faces(self, faces, positioned):
        assert len(positioned) == len(faces)
        first = faces[:, 0, 0, 0].astype(np.float32) / 100
        return FacePredictions(
            fine=np.stack([first, 1 - first], 1),
            basic_sum=np.zeros((len(faces), 0), np.float32),
            basic_head=None,
            boxes=np.zeros((len(faces), 0, 4), np.float32),
        )


def clip(*parts):
    """Frames of parts (track, percents of the first class); tracks are apart, None is no face."""
    seen = []
    for track, percents in parts:
        for percent in percents:
            index = len(seen)
            frame = ImageFrame(pixels=np.full((8, 8, 3), index, np.uint8), index=index, time_s=index / FPS)
            seen.append((frame, face(track, percent)))
    return seen


def face(track, percent):
    if track is None:
        return Observation(status="no_face")
    x = 100.0 + 300 * track
    return Observation(
        status="ok",
        n_faces=1,
        track_id=track,
        box_xyxy=np.array([x, 50, x + 80, 130], np.float32),
        score=1.0,
        transform=np.array([[1.0, 0, 0], [0, 1, 0]]),
        chip=np.full((4, 4, 3), percent, np.uint8),
    )


def predicted(seen, **stay):
    rows, heeded = [], []
    actual = predict_frames(
        "a.mp4",
        "video",
        iter(seen),
        Network(),
        visible=VisibleTime(n_frames=len(seen), **{**STAY, **stay}),
        keep=rows.append,
        on_frame=lambda index, actual: heeded.append((index, actual.status)),
    )
    assert [row["frame_index"] for row in rows] == list(range(len(seen)))
    assert heeded == [(row["frame_index"], row["status"]) for row in rows]
    return actual, rows


def test_a_face_that_is_there_for_a_moment_does_not_count():
    seen = clip((0, [60, 70, *[60] * 10]), (1, [90] * 6), (0, [62] * 12))
    actual, rows = predicted(seen)
    assert [row["status"] for row in rows] == ["ok"] * 12 + ["passing"] * 6 + ["ok"] * 12
    assert all((row["probabilities"] is None) is (row["status"] == "passing") for row in rows)
    assert actual.statuses == {"ok": 24, "passing": 6}
    assert actual.n_tracks == 1
    assert actual.probabilities.fine[0] == pytest.approx((60 * 11 + 70 + 62 * 12) / 2400)
    assert actual.portrait.frame_index == 1
    assert (actual.portrait.picture == 1).all()
    assert actual.portrait.time_s == 1 / FPS


def test_who_comes_before_the_one_that_stays_waits_until_that_is_known():
    seen = clip((1, [95] * 5), (None, [0]), (0, [55, 80, *[60] * 10]))
    actual, rows = predicted(seen)
    assert [row["status"] for row in rows] == ["passing"] * 5 + ["no_face"] + ["ok"] * 12
    assert actual.portrait.frame_index == 7


def test_where_nobody_stays_everybody_counts_and_the_first_of_the_surest_is_shown():
    actual, _ = predicted(clip((0, [60, 90, 60]), (1, [90, 60]), (2, [70])))
    assert actual.statuses == {"ok": 6}
    assert actual.n_tracks == 3
    assert actual.portrait.frame_index == 1


@pytest.mark.parametrize("stay", [{"min_track_s": 0.0}, {"frame_s": None}])
def test_without_the_rule_or_times_everybody_counts(stay):
    actual, _ = predicted(clip((0, [60] * 12), (1, [90] * 6), (0, [60] * 12)), **stay)
    assert actual.statuses == {"ok": 30}
    assert actual.portrait.frame_index == 12


def test_few_pictures_are_held_however_many_tracks_wait(monkeypatch):
    held = []
    offer = frame_predictions._Surest.offer

    def counted(self, *arguments):
        offer(self, *arguments)
        held.append(len(self._waiting))

    monkeypatch.setattr(frame_predictions._Surest, "offer", counted)
    parts = [(track, [50 + track % 40]) for track in range(60)]
    actual, _ = predicted(clip(*parts))
    assert actual.statuses == {"ok": 60}
    assert max(held) == frame_predictions._MOST_PICTURES
    assert actual.portrait.frame_index == 39
