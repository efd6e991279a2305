"""One person dissolves into another: two tracks; and nothing else splits a track."""

import itertools

import cv2
import numpy as np
import pytest

from fgbench.config import FacesConfig
from fgbench.faces.clip_faces import observe_clip
from fgbench.faces.dissolves import RecentPictures, are_unlike, is_mixed
from tests.support.face_frames import frames, pictures, runs
from tests.support.shown_videos import portrait

pytestmark = pytest.mark.slow

N_BEFORE, N_AFTER = 14, 14


@pytest.fixture(scope="module")
def people(face_clips):
    still = portrait((640, 360))
    return {
        "astronaut": [still] * 60,
        "woman": pictures(face_clips / "WolfgangLanger_Pexels.mp4", 60),
        "other": pictures(face_clips / "single_face.mp4", 60),
    }


def dissolve(first, second, n_frames):
    """The first clip, a dissolve of so many frames, and the second."""
    shares = [*[0.0] * N_BEFORE, *np.linspace(0, 1, n_frames + 2)[1:-1], *[1.0] * N_AFTER]
    return [
        np.rint((1 - share) * first[index].astype(float) + share * second[index]).astype(np.uint8)
        for index, share in enumerate(shares)
    ]


def tracks(images, models):
    """Runs of track numbers, frames without a face left out."""
    actual = [item.track_id for _, item in observe_clip(frames(images), FacesConfig(), models)]
    return runs([number for number in actual if number is not None])


@pytest.mark.parametrize("pair", [*itertools.permutations(("astronaut", "woman", "other"), 2)])
def test_a_dissolve_begins_a_new_track(people, models, pair):
    first, second = (people[name] for name in pair)
    actual = tracks(dissolve(first, second, 12), models)
    assert [number for number, _ in actual] == [0, 1]
    assert abs(actual[0][1] - (N_BEFORE + 6)) <= 6  # where one face gives way to the other


def test_one_face_over_another_in_the_same_place(people, models):
    """The eyes of both at one place, so that the face is followed all through."""
    first, second = people["other"][0], people["woman"][0]
    ends = [next(iter(observe_clip(frames([image]), FacesConfig(), models)))[1] for image in (first, second)]
    eyes = [item.landmarks[[36, 45, 8]].astype(np.float32) for item in ends]
    moved = cv2.warpAffine(second, cv2.getAffineTransform(eyes[1], eyes[0]), (640, 360))
    assert [number for number, _ in tracks(dissolve([first] * 60, [moved] * 60, 16), models)] == [0, 1]


LEFT_TO_RIGHT = np.linspace(-1, 1, 640)[None, :, None]
CHANGES = {
    "nothing": lambda image, share: image,
    "light from the side": lambda image, share: image * (1 + (1.8 * share - 0.9) * LEFT_TO_RIGHT),
    "darker": lambda image, share: image * (1 - 0.8 * share),
    "contrast": lambda image, share: 128 + (image - 128.0) * (1 - 0.6 * share),
}


@pytest.mark.parametrize("name", ["woman", "other"])
@pytest.mark.parametrize("change", CHANGES)
def test_light_and_expressions_keep_the_track(people, models, name, change):
    """Over 12 frames, as a dissolve might be."""
    clip = people[name][:40]
    shares = np.clip((np.arange(40) - 12) / 12, 0, 1)
    changed = [
        np.clip(CHANGES[change](image, share), 0, 255).astype(np.uint8)
        for image, share in zip(clip, shares, strict=True)
    ]
    assert tracks(changed, models) == [(0, 40)]


def test_a_hand_and_a_turn_keep_the_track(face_clips, models):
    images = pictures(face_clips / "WolfgangLanger_Pexels.mp4", 120)
    assert tracks(images, models) == [(0, 120)]


def details(seed):
    return np.random.default_rng(seed).normal(0, 20, (32, 32)).astype(np.float32)


def test_mixtures():
    before, after, other = details(0), details(1), details(2)
    mixed = [(1 - share) * before + share * after for share in (0.25, 0.5, 0.75)]
    assert are_unlike(before, after)
    assert is_mixed(before, mixed, after)
    assert not is_mixed(before, [mixed[0], other, mixed[2]], after)
    assert not is_mixed(before, mixed[::-1], after)
    assert not is_mixed(before, [before, before, after], after)  # a jump
    assert not are_unlike(before, 0.4 * before + 30)  # the light
    assert not are_unlike(before, 0.01 * after)  # a fade to black


@pytest.mark.parametrize(("step", "since"), [(1, 2), (2, None)])
def test_frames_that_were_left_out_are_no_dissolve(step, since):
    recent = RecentPictures()
    one, two = (np.random.default_rng(seed).integers(0, 255, (90, 160)).astype(np.uint8) for seed in (0, 1))
    for number, share in enumerate(np.linspace(0, 1, 9)):
        recent.add(step * number, np.rint((1 - share) * one + share * two).astype(np.uint8))
    assert recent.dissolved_since(np.array([40, 20, 100, 80], np.float32)) == since
