"""Sets of wider variety: the same truth, another skin, light and recording; plain sets are what they were."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fgbench.errors import ConfigError
from fgbench.synthetic import skin
from fgbench.synthetic.clip import draw_clip, drawn_frames, truth, write_video
from fgbench.synthetic.dataset import generate
from fgbench.synthetic.film import Film
from fgbench.synthetic.identity import draw_identity
from fgbench.synthetic.plan import SynthOptions, plan
from fgbench.synthetic.recording import Recording
from fgbench.synthetic.render import Renderer
from fgbench.synthetic.variety import Look, wide_person

PLAIN = SynthOptions(
    clips_per_class=1, subjects=3, width=320, height=240, seed=11, min_duration_s=0.5, max_duration_s=0.64
)
WIDE = replace(PLAIN, variety="wide")

SCENE = (
    1.1091280207209488,
    0.45861161396724914,
    0.5430170339197387,
    1.139501202483197,
    1404969100,
    (0.3997779401578847, -0.17595080184878642, 0.8995659586110893),
)
PERSON = (
    (221.27221606458951, 173.23554570334323, 140.54443212917903),
    (187.1550742692541, 105.03845714092341, 89.51812998681295),
    0.5227414133963073,
    0.0,
    1632234380,
)


def apex(clip, options):
    (planes,) = drawn_frames(clip, options, [clip.performance.timing.key_frame])
    return planes.copy()


def test_a_plain_clip_is_what_it_was_before_there_were_others():
    """Written down from the generator before it knew varieties: the repr of these fields of a clip."""
    clip = draw_clip(plan(PLAIN)[5], PLAIN)
    scene, person = clip.scene, clip.person
    actual = (scene.exposure, scene.ambient, scene.blur_px, scene.noise, scene.seed)
    assert actual == pytest.approx(SCENE[:-1], rel=1e-12)
    assert scene.light == pytest.approx(SCENE[-1], rel=1e-12)
    assert person.skin == pytest.approx(PERSON[0], rel=1e-12)
    assert person.lips == pytest.approx(PERSON[1], rel=1e-12)
    assert (person.age, person.freckles, person.seed) == pytest.approx(PERSON[2:], rel=1e-12)
    assert (person.texture, person.blemishes, person.make_up, clip.look) == (1.0, 0.0, 0.0, None)


def test_a_plain_frame_is_what_the_film_gives():
    clip = draw_clip(plan(PLAIN)[5], PLAIN)
    number = clip.performance.timing.key_frame
    renderer = Renderer(clip.person, clip.scene, PLAIN.width, PLAIN.height)
    left, up = clip.performance.gaze[number].tolist()
    patch, corner = renderer.patch(clip.performance.activations[number], clip.pose(number), gaze=(left, up))
    film = Film(renderer.backdrop, clip.scene).frame(patch, corner, number)
    assert np.array_equal(apex(clip, PLAIN), film)


@pytest.mark.slow
def test_a_wide_set_has_the_truth_of_the_plain_one():
    for one in plan(PLAIN)[:6]:
        plain, wide = draw_clip(one, PLAIN), draw_clip(one, WIDE)
        assert truth(plain).equals(truth(wide))
        assert plain.scene.camera == wide.scene.camera
        assert wide.look is not None
        assert not np.array_equal(apex(plain, PLAIN), apex(wide, WIDE))
        again = draw_clip(one, WIDE)
        assert np.array_equal(apex(again, WIDE), apex(wide, WIDE)), "a function of seed and clip"


@pytest.mark.slow
def test_the_set_says_which_it_is_and_is_not_mixed(tmp_path):
    small = replace(WIDE, width=160, height=120, subjects=1, min_duration_s=0.48, max_duration_s=0.48)
    out = generate(tmp_path / "wide", small)
    assert json.loads((out / "synthetic.json").read_text())["options"]["variety"] == "wide"
    with pytest.raises(ConfigError, match="variety is 'wide' there, None wanted"):
        generate(out, replace(small, variety="plain"))
    with pytest.raises(ConfigError, match=r"unknown variety 'wild'(.|\n)*plain, wide"):
        replace(PLAIN, variety="wild")


@pytest.mark.slow
def test_frames_of_a_wide_set_differ_more():
    """Colour and sharpness of apex frames: their spread over clips is larger."""
    spread = {}
    for options in (replace(PLAIN, subjects=20), replace(WIDE, subjects=20)):
        actual = []
        for one in plan(options):
            planes = apex(draw_clip(one, options), options)
            luma = planes[: options.height].astype(np.float32)
            chroma = planes[options.height :].astype(np.float32) - 128
            edges = cv2.Laplacian(luma, cv2.CV_32F)
            actual.append([np.abs(chroma).mean(), np.log(edges.std())])
        spread[options.variety] = np.std(actual, axis=0)
    assert (spread["wide"] > 1.5 * spread["plain"]).all(), spread


def test_matched_clips_of_a_control_are_recorded_alike():
    options = SynthOptions(
        clips_per_class=2, subjects=2, width=320, height=240, control="motion", variety="wide"
    )
    looks = {}
    for one in plan(options):
        clip = draw_clip(one, options)
        looks.setdefault(one.group_id, set()).add((clip.look, clip.scene.exposure, clip.person))
    assert len(looks) == 2
    assert all(len(actual) == 1 for actual in looks.values())


@pytest.mark.slow
def test_skin_of_wide_persons():
    plain = draw_identity(0, 3)
    wide = [wide_person(draw_identity(0, number), 0, number) for number in range(40)]
    assert wide_person(plain, 0, 3) == wide[3]
    assert {person.make_up > 0 for person in wide} == {True, False}
    assert {person.blemishes > 0 for person in wide} == {True, False}
    assert all(person.shape == draw_identity(0, number).shape for number, person in enumerate(wide))
    rough = [float(np.std(skin.texture(replace(plain, texture=texture))[200:300])) for texture in (0.3, 1, 3)]
    assert rough == sorted(rough)
    for changes in ({"blemishes": 1.0}, {"make_up": 1.0}):
        assert not np.array_equal(skin.texture(plain), skin.texture(replace(plain, **changes)))


@pytest.fixture(scope="module")
def planes():
    return apex(draw_clip(plan(PLAIN)[5], PLAIN), PLAIN)


def recorded(planes, **look):
    return Recording(Look(**look), PLAIN.width, PLAIN.height).frame(planes)


def test_a_neutral_recording_changes_nothing_in_range(planes):
    before = planes.copy()
    actual = recorded(planes)
    assert np.array_equal(actual, np.concatenate([np.clip(before[:240], 16, 235), before[240:]]))
    assert np.array_equal(planes, before), "its input is left as it is"


def test_what_a_recording_does(planes):
    height = PLAIN.height
    luma = planes[:height].astype(np.float32)
    grey = recorded(planes, saturation=0.0)
    assert (grey[height:] == 128).all()
    share = (np.clip(luma, 16, 235) - 16) / 219
    dark = recorded(planes, gamma=2.0)[:height]
    assert np.abs(dark - (16 + 219 * share**2)).max() <= 0.51
    flat = recorded(planes, contrast=0.5)[:height]
    assert np.abs(flat - (16 + 219 * (0.25 + 0.5 * share))).max() <= 0.51
    edges = [
        float(cv2.Laplacian(recorded(planes, shrink=shrink)[:height], cv2.CV_32F).std())
        for shrink in (1.0, 2.0, 4.0)
    ]
    assert edges[0] > 1.5 * edges[1] > 2.25 * edges[2]
    coarse = recorded(planes, jpeg_quality=15)[:height].astype(np.float32)
    steps = np.abs(np.diff(coarse, axis=1)).mean(axis=0)
    assert steps[7::8].mean() > 1.3 * steps[3::8].mean(), "edges of blocks of 8 px"


def test_a_coarser_quantiser_makes_smaller_files(tmp_path):
    clip = draw_clip(plan(PLAIN)[5], PLAIN)
    sizes = []
    for qp in (22, 38):
        path = tmp_path / f"{qp}.mp4"
        write_video(path, replace(clip, look=Look(h264_qp=qp)), PLAIN)
        sizes.append(path.stat().st_size)
    assert sizes[0] > 3 * sizes[1]
