"""What lies in the aligned face: chin and brows, in drawn faces with exact truth and in real ones."""

from functools import cache

import numpy as np
import pytest
import skimage.data

from fgbench import config
from fgbench.config import FacesConfig
from fgbench.errors import ConfigError
from fgbench.faces.geometry import apply_transform, chip_frame, chip_transform, invert
from fgbench.faces.layout import FACE, chip_layout
from fgbench.faces.pose import estimate_pose
from fgbench.files.hashing import hash_u64
from fgbench.media.video import ImageFrame, open_video
from fgbench.preparation.stages.faces import observed
from fgbench.synthetic.action_units import channels_of
from fgbench.synthetic.camera import Pose
from fgbench.synthetic.clip import draw_clip
from fgbench.synthetic.face import Head
from fgbench.synthetic.plan import SynthOptions, plan

DLIB = chip_layout(FacesConfig(geometry="dlib"))
LOWER_JAW, BROWS = np.arange(3, 14), np.arange(17, 27)
MARGIN = 0.02  # of the chip's side
OPTIONS = SynthOptions(clips_per_class=2, subjects=40, seed=5)


def in_chip(points, layout, size=224):
    """Landmarks in shares of the chip's side, edges 0 and 1."""
    transform = chip_transform(points, size=size, padding=layout.padding, shift=layout.shift)
    return (apply_transform(transform, points) + 0.5) / size


def share(faces, layout, part, *, margin=MARGIN):
    """Share of the faces of which all points of a part lie in the chip, the margin kept."""
    actual = np.stack([in_chip(points, layout)[part] for points in faces])
    return ((actual > margin) & (actual < 1 - margin)).all((1, 2)).mean()


def is_used(points):
    """Whether a frame with these landmarks is of the image set: not ``large_pose``."""
    pose = estimate_pose(points, (OPTIONS.width, OPTIONS.height))
    return abs(pose.yaw_deg) <= FacesConfig().max_abs_yaw_deg


@cache
def drawn(open_mouths, yaw_deg, pitch_deg):
    """Exact landmarks: frames of the clips as they are, or mouths and poses drawn evenly."""
    actual = []
    for one in plan(OPTIONS):
        clip = draw_clip(one, OPTIONS)
        head = Head(clip.person, clip.scene.camera)
        course = clip.performance.activations
        if not open_mouths:
            actual += [head.seen(course[k], clip.pose(k)).landmarks_px for k in range(0, len(course), 5)]
            continue
        rng = np.random.default_rng(hash_u64("chips", one.clip_id, yaw_deg))
        for _ in range(12):
            units = course[rng.integers(len(course))].copy()
            for unit in (25, int(rng.choice([26, 27]))):
                for channel in channels_of(unit):
                    units[channel] = max(units[channel], rng.uniform())
            yaw, pitch = rng.uniform(-yaw_deg, yaw_deg), rng.uniform(-pitch_deg, pitch_deg)
            actual.append(head.seen(units, Pose(yaw, pitch, rng.uniform(-30, 30))).landmarks_px)
    return actual


@pytest.mark.slow
@pytest.mark.parametrize(
    ("open_mouths", "yaw_deg", "pitch_deg", "before"),
    [(False, 0, 0, 0.91), (True, 15, 10, 0.52), (True, 30, 15, 0.43), (True, 45, 20, 0.30)],
)
def test_chin_and_brows_of_drawn_faces_are_in_the_chip(open_mouths, yaw_deg, pitch_deg, before):
    faces = drawn(open_mouths, yaw_deg, pitch_deg)
    parts = np.concatenate([LOWER_JAW, BROWS])
    assert share(faces, FACE, parts) >= (0.99 if yaw_deg <= 30 else 0.98)
    used = [points for points in faces if is_used(points)]
    assert len(used) > 0.85 * len(faces)
    assert share(used, FACE, parts) >= 0.99
    heights = [np.stack([in_chip(points, FACE)[part, 1] for points in faces]) for part in (LOWER_JAW, BROWS)]
    assert (heights[0].max(1) < 1 - MARGIN).mean() >= 0.99
    assert (heights[1].min(1) > MARGIN).mean() >= 0.99
    assert share(faces, DLIB, parts) < before


@pytest.mark.slow
def test_beyond_the_poses_of_drawn_clips_most_faces_that_fall_out_are_not_used():
    faces = drawn(True, 60, 25)
    parts = np.concatenate([LOWER_JAW, BROWS])
    used = [points for points in faces if is_used(points)]
    assert 0.6 < len(used) / len(faces) < 0.7
    assert share(used, FACE, parts) >= 0.98
    assert 0.83 <= share(faces, FACE, parts) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("crop", [(1 / 16, 1 / 16), (0, 0), (0, 1 / 8), (1 / 8, 0), (1 / 8, 1 / 8)])
def test_crops_cut_no_more_chins_and_mouths_than_those_of_dlibs_chip(crop):
    """The crops that networks see: 7/8 of the side, in the centre and in the corners."""
    top, left = crop
    faces = drawn(True, 30, 15)
    for part in (np.array([7, 8, 9]), np.arange(48, 68)):
        new, old = (
            np.mean(
                [
                    ((seen := in_chip(points, layout)[part]) >= (left, top)).all()
                    and (seen <= (left + 7 / 8, top + 7 / 8)).all()
                    for points in faces
                ]
            )
            for layout in (FACE, DLIB)
        )
        assert new >= old
    assert new > 0.99  # the mouth


@pytest.mark.slow
def test_chin_and_brows_of_real_faces_are_in_the_chip(face_clips):
    parts = np.concatenate([LOWER_JAW, BROWS])
    with open_video(face_clips / "single_face.mp4") as reader:
        reported = [one for _, one in observed(reader.frames(range(0, 72, 3)), FacesConfig())]
    ((_, photograph),) = observed([ImageFrame(pixels=skimage.data.astronaut(), index=0)], FacesConfig())
    for one in (*reported, photograph):
        points = one.landmarks.astype(np.float64)
        shown = (apply_transform(one.transform, points)[parts] + 0.5) / 224
        assert (shown > MARGIN).all()
        assert (shown < 1 - MARGIN).all()
    assert share([one.landmarks.astype(np.float64) for one in reported], DLIB, parts) < 0.5


def test_the_layout_is_dlibs_moved_and_scaled():
    """No turn, no stretch: the mean face lies upright, its square at a stated place."""
    points = np.zeros((68, 2))
    points[17:] = np.random.default_rng(0).uniform(100, 300, (51, 2))
    side = 1 + 2 * FACE.padding
    corner = np.array([0.5 - side / 2, 0.5 + FACE.shift - side / 2])
    dots = np.array([[0.0, 0.0], [1.0, 0.0], [0.3, 0.9]])
    positioned = apply_transform(
        chip_transform(points, size=1000, padding=FACE.padding, shift=FACE.shift),
        apply_transform(chip_frame(points), dots),
    )
    np.testing.assert_allclose(positioned / 999, (dots - corner) / side, atol=0.02)
    moved = chip_transform(points, size=1000, padding=FACE.padding, shift=FACE.shift)
    plain = chip_transform(points, size=1000, padding=FACE.padding)
    down = apply_transform(moved, apply_transform(invert(plain), np.array([[499.5, 499.5]])))
    np.testing.assert_allclose(down, [[499.5, 499.5 - 999 * FACE.shift / side]], atol=2)


@pytest.mark.slow
def test_dlibs_own_chip_is_chosen_by_recipe():
    picture = ImageFrame(pixels=skimage.data.astronaut(), index=0)
    ((_, actual),) = observed([picture], FacesConfig(geometry="dlib"))
    expected = chip_transform(actual.landmarks.astype(np.float64), size=224, padding=0.25)
    np.testing.assert_allclose(actual.transform, expected, atol=1e-3)
    ((_, face),) = observed([picture], FacesConfig())
    assert np.abs(face.transform - actual.transform).max() > 1


@pytest.mark.parametrize(
    ("faces", "geometry", "padding"),
    [
        ("{}", "face", None),
        ("{geometry: dlib}", "dlib", 0.25),
        ("{geometry: dlib, padding: 0.4}", "dlib", 0.4),
        ("{padding: 0.25}", "dlib", 0.25),  # of recipes and work folders that are older than the choice
    ],
)
def test_padding_is_of_dlibs_geometry(faces, geometry, padding):
    read = config.parse_prepare(f"name: x\nfaces: {faces}", "r.yaml").faces
    assert (read.geometry, read.padding) == (geometry, padding)
    assert FacesConfig.model_validate(read.model_dump(mode="json")) == read
    assert chip_layout(FacesConfig(geometry="dlib", padding=padding)).padding == (
        0.25 if padding is None else padding
    )


def test_padding_of_the_other_geometry_is_refused():
    with pytest.raises(ConfigError, match=r"padding is of geometry dlib.*take it out"):
        config.parse_prepare("name: x\nfaces: {geometry: face, padding: 0.3}", "r.yaml")
