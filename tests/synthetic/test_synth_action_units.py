"""Every action unit moves the landmarks the way that the FACS manual describes, on the right side."""

import numpy as np
import pytest

from fgbench.synthetic import muscles
from fgbench.synthetic.action_units import CHANNELS, NAMES, activation, channels_of, columns, total_intensity
from fgbench.synthetic.camera import Camera, Pose, rotation
from fgbench.synthetic.face import Head
from fgbench.synthetic.identity import average, draw_identity
from fgbench.synthetic.recipes import apex, describe, recipes
from fgbench.synthetic.rig import Rig
from fgbench.taxonomy import leaves

CAMERA = Camera(scale_px=100.0, centre_px=(0.0, 0.0), distance=12.0)
"""100 px are the distance of the outer eye corners, about 9 cm."""
FRONTAL = Pose(0.0, 0.0, 0.0)
R, L = "R", "L"  # of the person: R is on the left of the picture


def landmarks(units, person=None, pose=FRONTAL):
    return Head(person or average(), CAMERA).seen(activation(units), pose).landmarks_px


REST = landmarks({})


def moved(units):
    """(68, 2) displacement in px: x to the right of the picture, y down."""
    return landmarks(units) - REST


def opening(points, upper, lower):
    return float(np.mean(points[list(lower), 1] - points[list(upper), 1]))


def eye_openings(points):
    """Of the person's right and left eye."""
    return opening(points, (37, 38), (41, 40)), opening(points, (43, 44), (47, 46))


def lip_gap(points):
    return opening(points, (61, 62, 63), (67, 66, 65))


def lip_thickness(points):
    outer = opening(points, (50, 51, 52), (58, 57, 56))
    return outer - lip_gap(points)


def mouth_width(points):
    return points[54, 0] - points[48, 0]


def test_inner_brow_raiser():
    shift = moved({1: 1.0})
    assert (shift[[21, 22], 1] < -8).all()
    assert (np.abs(shift[[17, 26], 1]) < 2).all()


def test_outer_brow_raiser():
    shift = moved({2: 1.0})
    assert (shift[[17, 18, 25, 26], 1] < -6).all()
    assert (np.abs(shift[[21, 22], 1]) < 2).all()


def test_brow_lowerer_lowers_and_draws_together():
    shift = moved({4: 1.0})
    assert (shift[18:26, 1] > 3).all()
    assert shift[21, 0] > 4
    assert shift[22, 0] < -4


def test_lids():
    at_rest = eye_openings(REST)
    assert min(at_rest) > 7
    wide, tight, closed, blinking = (eye_openings(landmarks({au: 1.0})) for au in (5, 7, 43, 45))
    assert np.array(wide) == pytest.approx(np.array(at_rest) + 4.2, abs=1.0)
    assert (np.array(tight) < 0.7 * np.array(at_rest)).all()
    assert np.array(closed) == pytest.approx([0.0, 0.0], abs=0.15)
    assert np.array(blinking) == pytest.approx([0.0, 0.0], abs=0.15)


@pytest.mark.parametrize("others", [{5: 1.0}, {7: 1.0}, {6: 1.0, 7: 1.0, 9: 1.0}, {64: 1.0, 7: 1.0}])
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_closed_lids_meet_whatever_else_the_eyes_do(others, number):
    person = draw_identity(3, number)
    closed = eye_openings(landmarks(others | {43: 1.0}, person))
    assert np.array(closed) == pytest.approx([0.0, 0.0], abs=0.5)
    assert min(eye_openings(landmarks(others, person))) > 0.2


def test_half_closed_eyes_are_half_open():
    assert np.array(eye_openings(landmarks({43: 0.5}))) == pytest.approx(
        0.5 * np.array(eye_openings(REST)), rel=0.05
    )


def test_cheek_raiser_lifts_the_lower_lids():
    assert (moved({6: 1.0})[[40, 41, 46, 47], 1] < -1).all()


def test_nose_wrinkler_lifts_wings_and_upper_lip():
    shift = moved({9: 1.0})
    assert (shift[[31, 35], 1] < -3).all()
    assert (shift[[50, 51, 52], 1] < -5).all()
    assert (shift[[21, 22], 1] > 2).all()


def test_upper_lip_raiser_draws_the_middle_highest_and_parts_the_lips():
    shift = moved({10: 1.0})
    assert (shift[[50, 51, 52], 1] < -7).all()
    assert shift[51, 1] == shift[48:55, 1].min()
    assert lip_gap(landmarks({10: 1.0})) > lip_gap(REST) + 4


@pytest.mark.parametrize("au", [9, 10])
def test_upper_lip_raisers_lift_it_more_than_parting_lips_does(au):
    outer, inner = [50, 51, 52], [61, 62, 63]
    shift, parting = moved({au: 1.0}), moved({25: 1.0})
    assert (shift[outer, 1] < 1.5 * parting[outer, 1]).all()
    assert (shift[inner, 1] < 1.5 * parting[inner, 1]).all()


@pytest.mark.parametrize("au", [10, 11])
def test_upper_lip_raisers(au):
    shift = moved({au: 1.0})
    assert (shift[[49, 53], 1] < -3).all()
    assert (shift[[50, 52], 1] < -1).all()
    assert np.abs(shift[57, 1]) < 1


def test_lip_corner_puller_raises_and_widens():
    shift = moved({12: 1.0})
    assert (shift[[48, 54], 1] < -8).all()
    assert shift[48, 0] < -6
    assert shift[54, 0] > 6


def test_dimpler_draws_the_corners_sideways():
    shift = moved({14: 1.0})
    assert shift[48, 0] < -2
    assert shift[54, 0] > 2
    assert (np.abs(shift[[48, 54], 1]) < 2).all()


def test_lip_corner_depressor():
    assert (moved({15: 1.0})[[48, 54], 1] > 6).all()


def test_lower_lip_depressor():
    shift = moved({16: 1.0})
    assert (shift[[56, 57, 58], 1] > 4).all()
    assert (np.abs(shift[[50, 51, 52], 1]) < 1.5).all()


def test_chin_raiser_pushes_the_lower_lip_up():
    assert (moved({17: 1.0})[[56, 57, 58], 1] < -3).all()


@pytest.mark.parametrize("au", [18, 22])
def test_pucker_and_funnel_narrow_and_thicken(au):
    points = landmarks({au: 1.0})
    assert mouth_width(points) < 0.85 * mouth_width(REST)
    assert lip_thickness(points) > 1.1 * lip_thickness(REST)


def test_lip_stretcher_widens_without_raising():
    shift = moved({20: 1.0})
    assert shift[48, 0] < -6
    assert shift[54, 0] > 6
    assert (shift[[48, 54], 1] > 0).all()


@pytest.mark.parametrize("au", [23, 24, 28])
def test_tightened_pressed_and_sucked_lips_are_thin(au):
    assert lip_thickness(landmarks({au: 1.0})) < 0.7 * lip_thickness(REST)


def test_lips_part_and_jaw_drops():
    gaps = [lip_gap(landmarks(units)) for units in ({}, {25: 1.0}, {25: 1.0, 26: 1.0}, {25: 1.0, 27: 1.0})]
    assert gaps[0] < 1
    assert gaps[1] > 6
    assert np.diff(gaps).min() > 5
    chin = [moved({au: 1.0})[8, 1] for au in (25, 26, 27)]
    assert np.abs(chin[0]) < 2.5
    assert chin[1] > 15
    assert chin[2] > 1.7 * chin[1]


@pytest.mark.parametrize("label", list(recipes()))
@pytest.mark.parametrize("number", [0, 5])
def test_lips_never_pass_each_other(label, number):
    points = Head(draw_identity(1, number), CAMERA).seen(apex(label), FRONTAL).landmarks_px
    assert (points[[67, 66, 65], 1] > points[[61, 62, 63], 1]).all()
    assert (points[[58, 57, 56], 1] > points[[67, 66, 65], 1]).all()


@pytest.mark.parametrize(
    ("au", "angle", "sign"),
    [
        (51, "yaw_deg", 1),
        (52, "yaw_deg", -1),
        (53, "pitch_deg", 1),
        (54, "pitch_deg", -1),
        (55, "roll_deg", 1),
        (56, "roll_deg", -1),
    ],
)
def test_head_turns(au, angle, sign):
    seen = Head(average(), CAMERA).seen(activation({au: 1.0}), FRONTAL)
    others = {"yaw_deg", "pitch_deg", "roll_deg"} - {angle}
    assert sign * getattr(seen.pose, angle) > 15
    assert all(getattr(seen.pose, other) == 0 for other in others)
    nose = seen.landmarks_px[30] - seen.landmarks_px[[36, 45]].mean(axis=0)
    at_rest = REST[30] - REST[[36, 45]].mean(axis=0)
    if angle == "yaw_deg":  # the person's left is on the right of the picture
        assert sign * (nose - at_rest)[0] > 10
    elif angle == "pitch_deg":
        assert -sign * (nose - at_rest)[1] > 5
    else:  # clockwise: the right eye of the picture goes down
        assert sign * (seen.landmarks_px[45] - seen.landmarks_px[36])[1] > 20


@pytest.mark.parametrize(("au", "axis", "sign"), [(61, 0, 1), (62, 0, -1), (63, 1, -1), (64, 1, 1)])
def test_gaze(au, axis, sign):
    rig, straight = Rig(average(), CAMERA), rotation(FRONTAL)
    shift = rig.pupils(activation({au: 1.0}), (0.0, 0.0), straight) - rig.pupils(
        activation({}), (0.0, 0.0), straight
    )
    assert (sign * shift[:, axis] > 4).all()
    assert np.abs(shift[:, 1 - axis]).max() < 1


@pytest.mark.parametrize("au", [1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 20, 43])
@pytest.mark.parametrize(("side", "sign"), [(R, -1.0), (L, 1.0)])
def test_one_sided_units_stay_on_their_side(au, side, sign):
    shift = np.abs(moved({(au, side): 1.0})).sum(axis=1)
    there = sign * REST[:, 0] > 15
    elsewhere = sign * REST[:, 0] < -15
    assert shift[there].max() > 1.0
    assert shift[elsewhere].max() < 0.05 * shift[there].max()


def test_both_sides_together_are_the_sum_of_the_sides():
    whole, left, right = moved({12: 0.7}), moved({(12, L): 0.7}), moved({(12, R): 0.7})
    assert whole[:48] == pytest.approx((left + right)[:48], abs=0.01)  # lips that touch push each other


def test_contempt_raises_the_right_corner_of_the_person_only():
    shift = Head(average(), CAMERA).seen(apex("contempt"), FRONTAL).landmarks_px - REST
    assert shift[48, 1] < -4
    assert shift[48, 0] < -5
    assert np.abs(shift[54]).max() < 0.5


def test_basis_is_zero_for_units_that_only_turn_head_and_eyes():
    fields = muscles.basis(
        np.column_stack([np.random.default_rng(0).uniform(-0.7, 0.7, (50, 3)), np.zeros(50)])
    )
    assert not fields[[channels_of(au)[0] for au in (51, 52, 53, 54, 55, 56, 61, 62)]].any()


def test_recipes_are_those_of_the_class_tree_and_all_differ():
    assert list(recipes()) == [leaf.name for leaf in leaves()]
    assert len({apex(label).tobytes() for label in recipes()}) == 33
    assert describe("contempt") == "R12+R14+4"
    assert {drive.au for drives in recipes().values() for drive in drives} <= NAMES.keys()


def test_recipes_look_different_in_landmarks_or_gaze():
    seen = {label: Head(average(), CAMERA).seen(apex(label), FRONTAL).landmarks_px for label in recipes()}
    labels = list(seen)
    nearest = min(
        np.abs(seen[one] - seen[other]).max()
        for index, one in enumerate(labels)
        for other in labels[index + 1 :]
    )
    assert nearest > 1.5  # per cent of the eye distance; relief and lust differ by a tongue as well


def test_truth_columns_keep_the_sides_apart():
    rows = np.stack([activation({(12, R): 0.4, (12, L): 0.1, 26: 0.5}), activation({45: 1.0})])
    actual = columns(rows)
    assert len(actual) == len(NAMES) + sum(side != "B" for _, side in CHANNELS)
    assert actual["au12"].tolist() == pytest.approx([0.4, 0.0])
    assert actual["au12_r"].tolist() == pytest.approx([0.4, 0.0])
    assert actual["au12_l"].tolist() == pytest.approx([0.1, 0.0])
    assert actual["au26"].tolist() == pytest.approx([0.5, 0.0])
    assert total_intensity(rows) == pytest.approx([0.9, 0.0])  # blinks do not count


def test_unknown_units_and_sides_are_refused():
    with pytest.raises(KeyError):
        activation({99: 1.0})
    with pytest.raises(KeyError):
        activation({(26, L): 1.0})
