"""What is drawn lies where the truth says: features are found again in the pixels."""

import dataclasses

import numpy as np
import pytest

from fgbench.errors import ConfigError
from fgbench.synthetic.action_units import activation
from fgbench.synthetic.camera import Camera, Pose
from fgbench.synthetic.face import Head
from fgbench.synthetic.film import Film
from fgbench.synthetic.identity import average
from fgbench.synthetic.plan import SynthOptions
from fgbench.synthetic.recipes import recipes
from fgbench.synthetic.render import Renderer
from fgbench.synthetic.scene import studio
from fgbench.synthetic.sheet import contact_sheet

WIDTH, HEIGHT = 420, 480
SCENE = studio(WIDTH, HEIGHT, face_width_px=260)
SCALE = SCENE.camera.scale_px
POSES = [Pose(0.0, 0.0, 0.0), Pose(14.0, -6.0, 5.0), Pose(-16.0, 8.0, -7.0)]


def drawn(person, units, pose):
    return Renderer(person, SCENE, WIDTH, HEIGHT).picture(activation(units), pose).astype(int)


def differing(first, second, threshold):
    """x and y of the pixels that differ."""
    y, x = np.nonzero(np.abs(first - second).sum(axis=2) > threshold)
    return x, y


def truth(units, pose, person=None):
    return Head(person or average(), SCENE.camera).seen(activation(units), pose).landmarks_px


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("units", [{}, {12: 0.9, 25: 0.5}, {15: 0.9}, {26: 0.8, 25: 0.8}, {18: 0.8}])
def test_lips_are_drawn_at_their_landmarks(pose, units):
    painted = dataclasses.replace(average(), lips=(20.0, 230.0, 30.0))
    x, y = differing(drawn(painted, units, pose), drawn(average(), units, pose), 30)
    marks = truth(units, pose)[48:60]
    # Stretched corners are too thin to be seen to their very end.
    assert (x.min(), x.max()) == pytest.approx((marks[:, 0].min(), marks[:, 0].max()), abs=0.06 * SCALE)
    assert (y.min(), y.max()) == pytest.approx((marks[:, 1].min(), marks[:, 1].max()), abs=0.03 * SCALE)


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("units", [{}, {5: 1.0}, {7: 0.6}])
def test_eyes_are_drawn_at_their_landmarks(pose, units):
    """Another colour of the eyes shows the iris; closing the lids shows the opening."""
    marks = truth(units, pose)
    opened, closed = drawn(average(), units, pose), drawn(average(), units | {43: 1.0}, pose)
    for eye in (slice(36, 42), slice(42, 48)):
        left, top = marks[eye].min(axis=0)
        right, bottom = marks[eye].max(axis=0)
        x, y = differing(opened, closed, 90)
        near = (np.abs(x - 0.5 * (left + right)) < 0.22 * SCALE) & (y > top - 0.03 * SCALE) & (y < bottom + 6)
        assert x[near].min() == pytest.approx(left, abs=0.035 * SCALE)
        assert x[near].max() == pytest.approx(right, abs=0.035 * SCALE)
        assert y[near].max() == pytest.approx(bottom, abs=0.035 * SCALE)


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("units", [{}, {1: 0.9, 2: 0.9}, {4: 1.0}])
def test_brows_are_drawn_under_their_landmarks(pose, units):
    """A bald person's hair colour shows in the brows alone."""
    dark = dataclasses.replace(average(), hair_style="bald", hair=(10.0, 10.0, 10.0))
    red = dataclasses.replace(dark, hair=(250.0, 20.0, 20.0))
    x, y = differing(drawn(dark, units, pose), drawn(red, units, pose), 60)
    marks = truth(units, pose)
    for brow in (slice(17, 22), slice(22, 27)):
        left, right = marks[brow, 0].min(), marks[brow, 0].max()
        inside = (x > left) & (x < right)
        assert inside.sum() > 50
        assert x[(x > left - 12) & (x < right + 12)].min() == pytest.approx(left, abs=0.07 * SCALE)
        line = np.interp(x[inside], *marks[brow].T)
        assert np.mean(y[inside] - line) == pytest.approx(0.02 * SCALE, abs=0.025 * SCALE)


def test_the_head_follows_the_camera():
    moved = Camera(
        scale_px=SCALE,
        centre_px=(SCENE.camera.centre_px[0] + 40.0, SCENE.camera.centre_px[1] - 10.0),
        distance=12.0,
    )
    scene = dataclasses.replace(SCENE, camera=moved)
    painted = dataclasses.replace(average(), lips=(20.0, 230.0, 30.0))
    here = differing(drawn(painted, {}, POSES[0]), drawn(average(), {}, POSES[0]), 60)
    there = differing(
        *(
            Renderer(one, scene, WIDTH, HEIGHT).picture(activation({}), POSES[0]).astype(int)
            for one in (painted, average())
        ),
        60,
    )
    assert np.mean(there[0]) - np.mean(here[0]) == pytest.approx(40, abs=0.5)
    assert np.mean(there[1]) - np.mean(here[1]) == pytest.approx(-10, abs=0.5)


@pytest.mark.parametrize(
    ("au", "box"),
    [
        (4, (-0.12, 0.12, -0.32, -0.05)),  # between the brows
        (9, (-0.15, 0.15, -0.05, 0.30)),  # the bridge of the nose
        (6, (0.56, 0.72, -0.10, 0.12)),  # crow's feet
        (12, (0.22, 0.40, 0.50, 0.75)),  # nasolabial fold
        (14, (0.38, 0.48, 0.75, 0.95)),  # dimple
        (17, (-0.2, 0.2, 1.05, 1.25)),  # chin boss
        (1, (-0.3, 0.3, -0.70, -0.42)),  # forehead
    ],
)
def test_action_units_wrinkle_the_skin(au, box):
    """The relief adds fine structure (Laplacian) to its place beyond what moving the skin does."""
    import cv2

    left, right, top, bottom = box
    centre_x, centre_y = SCENE.camera.centre_px
    rows = slice(int(centre_y + top * SCALE), int(centre_y + bottom * SCALE))
    columns = slice(int(centre_x + left * SCALE), int(centre_x + right * SCALE))
    structure = [
        float(
            cv2.Laplacian(
                drawn(average(), units, POSES[0])[rows, columns].mean(axis=2), cv2.CV_64F, ksize=5
            ).std()
        )
        for units in ({}, {au: 1.0})
    ]
    assert structure[1] > 1.25 * structure[0]


def test_frames_restore_what_the_patch_before_covered():
    renderer = Renderer(average(), SCENE, WIDTH, HEIGHT)
    film, fresh = Film(renderer.backdrop, SCENE), Film(renderer.backdrop, SCENE)
    first = renderer.patch(activation({55: 1.0}), POSES[1], gaze=(0.0, 0.0))
    second = renderer.patch(activation({}), POSES[0], gaze=(0.0, 0.0))
    film.frame(*first, 0)
    assert (film.frame(*second, 1) == fresh.frame(*second, 1)).all()


def test_grain_has_the_wanted_strength_and_changes():
    noisy = dataclasses.replace(SCENE, noise=2.0)
    renderer = Renderer(average(), noisy, WIDTH, HEIGHT)
    patch = renderer.patch(activation({}), POSES[0], gaze=(0.0, 0.0))
    film = Film(renderer.backdrop, noisy)
    first, second = (film.frame(*patch, number).astype(float)[:HEIGHT] for number in (0, 1))
    inner = np.s_[50:400, 50:350]
    assert np.std((first - second)[inner]) == pytest.approx(2.0 * np.sqrt(2), rel=0.1)


@pytest.mark.slow
def test_faces_at_the_edge_and_tiny_faces_can_be_drawn():
    for centre, scale in (((0.0, 0.0), 150.0), ((WIDTH, HEIGHT), 150.0), ((200.0, 200.0), 9.0)):
        camera = Camera(scale_px=scale, centre_px=(float(centre[0]), float(centre[1])), distance=12.0)
        scene = dataclasses.replace(SCENE, camera=camera)
        for style in ("long", "curly", "bald"):
            person = dataclasses.replace(average(), hair_style=style, glasses=0.15, beard=0.7, freckles=1.0)
            picture = Renderer(person, scene, WIDTH, HEIGHT).picture(
                activation({32: 0.5, 19: 0.4, 26: 0.5}), POSES[1]
            )
            assert picture.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.slow
def test_sheet_shows_every_class():
    sheet = contact_sheet(SynthOptions(), columns=11, tile_px=130)
    rows, height = 3, 130 * 12 // 10 + 44
    assert sheet.shape == (rows * height, 11 * 130, 3)
    assert sheet.dtype == np.uint8
    tiles = (
        sheet.reshape(rows, height, 11, 130, 3).transpose(0, 2, 1, 3, 4).reshape(33, height, 130, 3)[:, :156]
    )
    assert len({tile.tobytes() for tile in tiles}) == len(recipes()) == 33
    assert (contact_sheet(SynthOptions(), subject=2, columns=11, tile_px=130) != sheet).any()
    with pytest.raises(ConfigError, match="columns"):
        contact_sheet(SynthOptions(), columns=0)


def test_colours_survive_the_file(tmp_path):
    """Decoded by PyAV and by OpenCV, the picture has the colours that were drawn."""
    import av
    import cv2

    from fgbench.synthetic.encode import h264_file

    quiet = dataclasses.replace(SCENE, noise=0.0)
    renderer = Renderer(average(), quiet, WIDTH, HEIGHT)
    film = Film(renderer.backdrop, quiet)
    patch = renderer.patch(activation({12: 0.8}), POSES[0], gaze=(0.0, 0.0))
    with h264_file(tmp_path / "one.mp4", WIDTH, HEIGHT, 25) as append:
        for number in range(3):
            append(film.frame(*patch, number))
    drawn_rgb = renderer.picture(activation({12: 0.8}), POSES[0]).astype(int)
    with av.open(str(tmp_path / "one.mp4")) as container:
        by_av = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    done, by_cv = cv2.VideoCapture(str(tmp_path / "one.mp4")).read()
    assert done
    for decoded in (by_av, by_cv[:, :, ::-1].astype(int)):
        difference = decoded - drawn_rgb
        assert np.abs(difference.reshape(-1, 3).mean(axis=0)).max() < 2.5
        assert np.abs(difference).mean() < 4
