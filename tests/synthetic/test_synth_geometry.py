"""Projection, poses, identities and the surface of the drawn head."""

import cv2
import numpy as np
import pytest

from fgbench.synthetic import anatomy, mesh, muscles, warp
from fgbench.synthetic.action_units import activation
from fgbench.synthetic.camera import PIVOT, Camera, Pose, project, rotation, turned
from fgbench.synthetic.face import Head
from fgbench.synthetic.identity import TRAITS, average, draw_identity, shaped
from fgbench.synthetic.rig import Rig

CAMERA = Camera(scale_px=180.0, centre_px=(640.0, 330.0), distance=11.0)


def test_projection_is_that_of_a_pinhole_camera():
    points = np.random.default_rng(1).uniform(-1.3, 1.3, (60, 3))
    pose = Pose(yaw_deg=17.0, pitch_deg=-9.0, roll_deg=6.0)
    ours = project(turned(points, rotation(pose)), CAMERA)
    # The same by OpenCV: axes x right, y down, z away; focal length f = scale * distance.
    focal = CAMERA.scale_px * CAMERA.distance
    matrix = np.array([[focal, 0, 640.0], [0, focal, 330.0], [0, 0, 1]])
    flip = np.diag([1.0, 1.0, -1.0])
    turn = flip @ rotation(pose) @ flip
    position = flip @ (PIVOT - rotation(pose) @ PIVOT) + [0.0, 0.0, CAMERA.distance]
    theirs, _ = cv2.projectPoints(points @ flip, cv2.Rodrigues(turn)[0], position, matrix, np.zeros(5))
    assert ours == pytest.approx(theirs[:, 0], abs=1e-6)


def test_angles_are_those_of_the_pose_estimator():
    from fgbench.faces import pose as estimator

    flip = np.diag([1.0, 1.0, -1.0])
    pose = Pose(yaw_deg=21.0, pitch_deg=-8.0, roll_deg=5.0)
    actual = estimator.pose_from_rotation(flip @ rotation(pose) @ flip)
    assert (actual.yaw_deg, actual.pitch_deg, actual.roll_deg) == pytest.approx((21.0, -8.0, 5.0), abs=1e-6)


def test_landmarks_lie_where_the_grid_has_them():
    """Two ways to the same points: displaced landmarks, and the displaced grid at their places."""
    units, pose = activation({1: 0.8, 12: 0.7, 6: 0.5, 26: 0.6, 25: 0.5}), Pose(12.0, -5.0, 4.0)
    person = draw_identity(2, 4)
    seen = Head(person, CAMERA).seen(units, pose)
    nodes = Rig(person, CAMERA).nodes(muscles.weights(units), rotation(seen.pose))
    marks = [*range(17, 36)]  # brows and nose: away from the cuts at lids and lips
    positions = mesh.coordinates(anatomy.landmarks()[marks, :2]).astype(np.float32)
    actual = cv2.remap(nodes, positions[None], None, cv2.INTER_LINEAR)[0]
    assert actual == pytest.approx(seen.landmarks_px[marks], abs=0.02 * CAMERA.scale_px)
    assert np.median(np.abs(actual - seen.landmarks_px[marks])) < 0.004 * CAMERA.scale_px


@pytest.mark.slow
@pytest.mark.parametrize("yaw_deg", [-25.0, 0.0, 12.0, 25.0])
@pytest.mark.parametrize("scale_px", [90.0, 250.0])
def test_inverse_of_the_grid(yaw_deg, scale_px):
    camera = Camera(scale_px=scale_px, centre_px=(640.0, 360.0), distance=12.0)
    rig, matrix = Rig(average(), camera), rotation(Pose(yaw_deg, -6.0, 3.0))
    nodes = rig.nodes(activation({4: 1.0, 12: 0.6}), matrix)
    window = warp.Window(600, 300, 3, 30, 40)  # from nose to cheek
    positions = warp.invert(nodes, window, from_right=yaw_deg > 0)
    back = cv2.remap(nodes, positions, None, cv2.INTER_LINEAR)
    x, y = np.meshgrid(600 + 1 + 3 * np.arange(30), 300 + 1 + 3 * np.arange(40))
    error = np.hypot(back[:, :, 0] - x, back[:, :, 1] - y)
    assert np.quantile(error, 0.9) < 0.01 * scale_px
    assert np.median(error) < 0.004 * scale_px


def test_the_average_face_is_symmetric():
    marks = anatomy.landmarks()
    mirrored = marks.copy()
    for first, second, *_ in anatomy.HALF_LANDMARKS:
        mirrored[[first, second]] = marks[[second, first]]
    for first, second in ((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)):
        mirrored[[first, second]] = marks[[second, first]]
    assert mirrored[:, 1:] == pytest.approx(marks[:, 1:], abs=1e-9)
    assert mirrored[:, 0] == pytest.approx(-marks[:, 0], abs=1e-9)
    assert marks[45, 0] - marks[36, 0] == pytest.approx(1.0)


def test_identity_depends_on_seed_and_number_alone():
    assert draw_identity(7, 3) == draw_identity(7, 3)
    assert draw_identity(7, 3) != draw_identity(7, 4)
    assert draw_identity(7, 3) != draw_identity(8, 3)
    assert draw_identity(7, 3).subject_id == "s03"


def test_people_differ_in_shape_and_skin():
    people = [draw_identity(0, number) for number in range(24)]
    marks = np.stack([shaped(anatomy.landmarks(), person.shape)[:, :2] for person in people])
    assert marks.std(axis=0).max() > 0.02
    assert np.abs(marks - anatomy.landmarks()[:, :2]).max() < 0.25
    luma = sorted(float(np.mean(person.skin)) for person in people)
    assert luma[0] < 105
    assert luma[-1] > 190
    assert len({person.hair_style for person in people}) >= 4
    assert all(len(person.shape) == len(TRAITS) for person in people)
