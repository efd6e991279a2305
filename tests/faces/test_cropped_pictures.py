"""Faces of cropped pictures and clips: aligned where they are found, and a clip never is a mixture."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
import skimage.data

from fgbench.config import FacesConfig
from fgbench.faces.clip_faces import observe_clip
from fgbench.faces.cropped_pictures import LOOK_FRAMES, observe_cropped
from fgbench.faces.detection import open_detector
from fgbench.faces.geometry import apply_transform
from fgbench.faces.locating import load_models
from fgbench.faces.observation import Observation
from fgbench.media.video import ImageFrame
from fgbench.preparation.stages.faces import observed
from tests.support.ladder_search import search_ladder

FACE = (174.0, 72.0, 274.5, 172.5)  # dlib's box of the astronaut's face


def crop(share=1.1, *, size=100, right=0.0, down=0.0):
    """A square cut from the photograph, its side as a share of the box, resized."""
    side = share * (FACE[2] - FACE[0])
    left = (FACE[0] + FACE[2]) / 2 + right * side - side / 2
    top = (FACE[1] + FACE[3]) / 2 + down * side - side / 2
    part = skimage.data.astronaut()[round(top) : round(top + side), round(left) : round(left + side)]
    return np.ascontiguousarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA))


def blank(size=100):
    return np.random.default_rng(0).integers(90, 110, (size, size, 3), dtype=np.uint8)


def clip(*pictures, **changes):
    frames = [ImageFrame(pixels=picture, index=number) for number, picture in enumerate(pictures)]
    return [replace(frame, **changes.get(str(frame.index), {})) for frame in frames]


def config(**changes):
    return FacesConfig(align="where-found", **changes)


def statuses(frames):
    reported = list(observed(iter(frames), config()))
    assert [frame.index for frame, _ in reported] == [frame.index for frame in frames]
    return [one.status for _, one in reported]


def test_a_picture_is_aligned_where_its_face_is_found_and_else_as_it_is():
    ((_, actual),) = observed(clip(crop()), config())
    ((_, always),) = observed(clip(crop()), FacesConfig())
    assert actual.status == always.status == "ok"
    np.testing.assert_array_equal(actual.chip, always.chip)
    ((_, plain),) = observed(clip(blank()), config())
    ((_, never),) = observed(clip(blank()), FacesConfig(align="never"))
    assert (plain.status, never.status) == ("as_is", "ok")
    assert plain.landmarks is None
    np.testing.assert_array_equal(plain.chip, never.chip)
    np.testing.assert_array_equal(plain.transform, never.transform)


@pytest.mark.slow
@pytest.mark.parametrize("size", [64, 100])
@pytest.mark.parametrize(("right", "down"), [(0.0, 0.0), (0.15, 0.1), (-0.15, 0.0)])
def test_faces_that_touch_the_border_are_found(size, right, down):
    """Landmarks lie where they do in the whole photograph."""
    picture = crop(0.8, size=size, right=right, down=down)
    ((frame, actual),) = observed(clip(picture), config())
    assert actual.status == "ok"
    assert frame.size == (size, size)
    ((_, whole),) = observe_clip(clip(skimage.data.astronaut()))
    side = 0.8 * (FACE[2] - FACE[0])
    corner = [
        (FACE[0] + FACE[2]) / 2 + right * side - side / 2,
        (FACE[1] + FACE[3]) / 2 + down * side - side / 2,
    ]
    expected = (whole.landmarks - corner) * size / side
    assert np.abs(actual.landmarks - expected).mean() < 0.06 * size
    # Cut from the picture itself: what lies outside is black, as everywhere.
    eyes = apply_transform(actual.transform, actual.landmarks[36:48].astype(np.float64)).mean(axis=0)
    assert abs(eyes[0] - 112) < 15
    assert (actual.chip[-1] == 0).all()


@pytest.mark.slow
def test_the_border_is_what_finds_some_of_them():
    pictures = [
        crop(share, right=right, down=down)
        for share in (0.7, 0.75)
        for right in (-0.2, 0.0, 0.2)
        for down in (-0.2, 0.0, 0.2)
    ]
    detector = open_detector()
    luma = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures]
    plain = [search_ladder(picture, detector, scales=detector.scales) for picture in luma]
    bordered = [status for picture in pictures for status in statuses(clip(picture))]
    always = [one.status for picture in pictures for _, one in observed(clip(picture), FacesConfig())]
    assert sum(bool(one) for one in plain) <= 12
    assert bordered.count("ok") >= 16
    assert always.count("ok") >= 16  # 12 before recipes that always align had such a search


@pytest.mark.slow
def test_a_face_that_fills_the_frames_is_followed():
    """Found with a border, and not lost again for want of one."""
    picture = crop(0.7, right=-0.2)
    detector = open_detector()
    assert search_ladder(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), detector, scales=detector.scales) == []
    actual = [item for _, item in observed(clip(*[picture] * 8), FacesConfig())]
    assert [item.status for item in actual] == ["ok"] * 8
    assert {item.track_id for item in actual} == {0}


@pytest.mark.slow
def test_a_clip_is_aligned_or_as_it_is_and_never_both():
    face, none = crop(), blank()
    assert statuses(clip(face, face, none)) == ["ok", "ok", "no_face"]
    assert statuses(clip(face, none, none)) == ["as_is"] * 3
    assert statuses(clip(face, none)) == ["ok", "no_face"], "half of them are enough"
    assert statuses(clip(none, none, face)) == ["as_is"] * 3


def test_damaged_frames_neither_decide_nor_are_taken():
    face, none = crop(), blank()
    broken = {"0": {"is_corrupt": True}, "1": {"is_corrupt": True}}
    assert statuses(clip(face, face, face, **broken)) == ["corrupt_frame", "corrupt_frame", "ok"]
    assert statuses(clip(none, none, none, **broken)) == ["corrupt_frame", "corrupt_frame", "as_is"]
    assert statuses(clip(face, face, **broken)) == ["corrupt_frame"] * 2


def test_a_face_that_is_turned_too_far_counts_as_not_found():
    actual = list(observed(clip(crop()), config(max_abs_yaw_deg=0.001)))
    assert [item.status for _, item in actual] == ["as_is"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["face", "none"])
def test_the_first_frames_decide_and_no_more_are_held(kind):
    """What comes later changes nothing, and an aligned clip is observed as it is without the choice."""
    first, later = (crop(), blank()) if kind == "face" else (blank(), crop())
    frames = clip(*[first] * LOOK_FRAMES, *[later] * 10)
    taken = []

    def noted():
        for frame in frames:
            taken.append(frame.index)
            yield frame

    stream = observe_cropped(
        noted(), FacesConfig(), _models(), whole=lambda frame: Observation(status="as_is")
    )
    reported = [next(stream)]
    assert taken == list(range(LOOK_FRAMES))
    reported += stream
    assert [frame.index for frame, _ in reported] == list(range(LOOK_FRAMES + 10))
    if kind == "none":
        assert {actual.status for _, actual in reported} == {"as_is"}
        return
    expected = list(observe_clip(frames, FacesConfig(), _models()))
    for (_, one), (_, other) in zip(reported, expected, strict=True):
        assert (one.status, one.track_id) == (other.status, other.track_id)
        np.testing.assert_array_equal(one.chip, other.chip)


@cache
def _models():
    return load_models(FacesConfig())
