"""Pose from points projected with known angles."""

import itertools
import math

import cv2
import numpy as np
import pytest

from fgbench.faces.geometry import apply_transform, invert
from fgbench.faces.landmarks import open_predictor
from fgbench.faces.placement import PATCH_BOX, cut_patch, patch_transform, placement_from_landmarks
from fgbench.faces.pose import (
    POSE_POINTS,
    Pose,
    camera_matrix,
    estimate_pose,
    face_model_mm,
    facing,
    pose_from_rotation,
    rotation_from_pose,
)
from fgbench.synthetic.clip import draw_clip
from fgbench.synthetic.face import Head
from fgbench.synthetic.film import Film
from fgbench.synthetic.plan import SynthOptions, plan
from fgbench.synthetic.render import Renderer

SIZE = (1280, 720)


def turn(axis, angle_deg):
    """Rotation about an axis by the right-hand rule (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = math.radians(angle_deg)
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def project(rotation, shift_mm, focal_px=1280.0):
    landmarks = np.full((68, 2), np.nan)  # points that the pose must not use
    x, y, z = (face_model_mm() @ rotation.T + shift_mm).T
    landmarks[POSE_POINTS, 0] = focal_px * x / z + 639.5
    landmarks[POSE_POINTS, 1] = focal_px * y / z + 359.5
    return landmarks


def test_signs():
    """x to the right, y down, z away: the face looks along -z."""
    ahead = (0, 0, 800)
    # Right-hand turns: about -y the nose goes to the right of the image, about -x up, about z clockwise.
    cases = [((0, -1, 0), Pose(20, 0, 0)), ((-1, 0, 0), Pose(0, 20, 0)), ((0, 0, 1), Pose(0, 0, 20))]
    for axis, expected in cases:
        rotation = turn(axis, 20)
        nose = rotation @ (0, 0, -1)
        assert nose[0] == pytest.approx(math.sin(math.radians(expected.yaw_deg)))
        assert nose[1] == pytest.approx(-math.sin(math.radians(expected.pitch_deg)))
        actual = estimate_pose(project(rotation, ahead), SIZE)
        assert actual.yaw_deg == pytest.approx(expected.yaw_deg, abs=1e-3)
        assert actual.pitch_deg == pytest.approx(expected.pitch_deg, abs=1e-3)
        assert actual.roll_deg == pytest.approx(expected.roll_deg, abs=1e-3)


@pytest.mark.parametrize("angles", [*itertools.product((-50, 0, 35), (-25, 0, 25), (-60, 0, 30))])
def test_projected_poses_are_recovered(angles):
    pose = Pose(*map(float, angles))
    rotation = rotation_from_pose(pose)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    for shift in ((0, 0, 600), (-150, 80, 1200)):
        # The camera is turned towards the face, so that the face has the pose as seen from there.
        seen = facing(np.array(shift, float)).T @ rotation
        actual = estimate_pose(project(seen, shift), SIZE)
        assert (actual.yaw_deg, actual.pitch_deg, actual.roll_deg) == pytest.approx(angles, abs=1e-2)


@pytest.mark.parametrize("centre", [(300, 0, 600), (-200, 150, 500), (0, -250, 700), (0, 0, 600)])
def test_a_face_that_looks_into_the_camera_has_pose_0_wherever_it_is(centre):
    centre = np.array(centre, float)
    away = centre / np.linalg.norm(centre)
    rotation = facing(centre)
    np.testing.assert_allclose(rotation @ away, (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    # Built by hand: the face's z axis points away from the camera, its x axis stays as level as it can.
    side = np.cross((0, 1, 0), away)
    side /= np.linalg.norm(side)
    seen = np.column_stack([side, np.cross(away, side), away])
    actual = estimate_pose(project(seen, tuple(centre)), SIZE)
    assert (actual.yaw_deg, actual.pitch_deg) == pytest.approx((0, 0), abs=1e-2)


def test_pose_and_rotation_undo_each_other():
    pose = pose_from_rotation(rotation_from_pose(Pose(12.0, -34.0, 56.0)))
    assert (pose.yaw_deg, pose.pitch_deg, pose.roll_deg) == pytest.approx((12, -34, 56))


def test_noise_of_a_pixel_costs_degrees_not_tens():
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(100):
        angles = rng.uniform(-30, 30, 3)
        landmarks = project(rotation_from_pose(Pose(*angles)), (0, 0, 700)) + rng.normal(0, 1, (68, 2))
        actual = estimate_pose(landmarks, SIZE)
        errors.append(np.abs(np.array([actual.yaw_deg, actual.pitch_deg, actual.roll_deg]) - angles))
    assert (np.mean(errors, axis=0) < 1.5).all()  # measured 0.6, 0.6, 0.4


def test_another_focal_length():
    np.testing.assert_array_equal(camera_matrix(SIZE), [[1280, 0, 639.5], [0, 1280, 359.5], [0, 0, 1]])
    seen = facing(np.array([200.0, 0, 500])).T @ rotation_from_pose(Pose(25, 10, 0))
    landmarks = project(seen, (200, 0, 500), focal_px=900.0)
    actual = estimate_pose(landmarks, SIZE, focal_px=900.0)
    assert (actual.yaw_deg, actual.pitch_deg) == pytest.approx((25, 10), abs=1e-2)


def test_five_points_give_the_roll_alone():
    eyes = np.array([[140.0, 100], [120, 100], [60, 100], [80, 100], [100, 140]])
    angle = math.radians(30)
    clockwise = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    upright = estimate_pose(eyes, SIZE)
    turned = estimate_pose(eyes @ clockwise.T, SIZE)
    assert math.isnan(turned.yaw_deg)
    assert math.isnan(turned.pitch_deg)
    assert turned.roll_deg - upright.roll_deg == pytest.approx(30)


@pytest.mark.parametrize("width_px", [64, 40, 20])
def test_faces_too_small_for_sqpnp_have_a_pose(width_px):
    """Narrower than 1/59 of the frame, as in a 4K picture of a crowd."""
    size, focal_px = (3840, 2160), 3840.0
    away = focal_px * 90 / (0.7 * width_px)
    for x, y in ((0.0, 0.0), (-0.4, 0.2), (0.3, -0.25)):
        pose, position = Pose(12.0, -7.0, 4.0), np.array([x, y, 1.0]) * away
        turned = facing(position).T @ rotation_from_pose(pose)
        at = face_model_mm() @ turned.T + position
        landmarks = np.full((68, 2), np.nan)
        landmarks[POSE_POINTS] = focal_px * at[:, :2] / at[:, 2:] + (np.array(size) - 1) / 2
        actual = estimate_pose(landmarks, size)
        np.testing.assert_allclose(
            [actual.yaw_deg, actual.pitch_deg, actual.roll_deg], [12.0, -7.0, 4.0], atol=0.02
        )


def test_ordinary_faces_have_the_pose_of_sqpnp():
    rng = np.random.default_rng(0)
    for angles in rng.uniform(-35, 35, (5, 3)):
        landmarks = project(rotation_from_pose(Pose(*angles)), (60, -40, 900))
        points = np.ascontiguousarray(landmarks[POSE_POINTS])
        camera = camera_matrix(SIZE)
        _, turn, position = cv2.solvePnP(face_model_mm(), points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
        expected = pose_from_rotation(facing(position.ravel()) @ cv2.Rodrigues(turn)[0])
        assert estimate_pose(landmarks, SIZE) == expected


@pytest.mark.parametrize("points", [np.full((68, 2), 7.0), np.zeros((68, 2))])
def test_points_that_are_no_face_have_no_pose(points):
    actual = estimate_pose(points, (3840, 2160))
    assert all(math.isnan(angle) for angle in (actual.yaw_deg, actual.pitch_deg, actual.roll_deg))


@pytest.mark.slow
def test_angles_of_drawn_faces_have_little_bias():
    """On people of a seed that nothing was fitted on, as dlib finds their landmarks."""
    options = SynthOptions(clips_per_class=1, subjects=33, width=480, height=270, seed=7)
    predictor = open_predictor()
    errors = []
    for one in plan(options)[::3]:
        clip = draw_clip(one, options)
        units, pose = clip.performance.activations[0], clip.pose(0)
        truth = Head(clip.person, clip.scene.camera).seen(units, pose)
        renderer = Renderer(clip.person, clip.scene, options.width, options.height)
        patch = renderer.patch(units, pose, gaze=(0.0, 0.0))
        luma = Film(renderer.backdrop, clip.scene).frame(*patch, 0)[: options.height]
        to_patch = patch_transform(placement_from_landmarks(truth.landmarks_px))
        actual = predictor.predict(cut_patch(luma, to_patch), PATCH_BOX)
        pose = estimate_pose(apply_transform(invert(to_patch), actual), (options.width, options.height))
        errors.append([getattr(pose, name) - getattr(truth.pose, name) for name in Pose.__slots__])
    yaw, pitch, roll = np.mean(errors, axis=0)
    assert abs(pitch) < 3.0
    assert abs(yaw) < 2.0
    assert abs(roll) < 1.0
