"""Phases, key frames, blinks and plans of clips."""

from itertools import pairwise

import numpy as np
import pytest

from fgbench.errors import ConfigError
from fgbench.preparation.splitting import Member, divide
from fgbench.synthetic.action_units import channels_of, columns, total_intensity
from fgbench.synthetic.clip import draw_clip
from fgbench.synthetic.performance import perform
from fgbench.synthetic.plan import MIN_FRAMES, SynthOptions, plan
from fgbench.synthetic.recipes import recipes
from fgbench.synthetic.timing import PHASES, draw_timing

LABELS = list(recipes())


@pytest.mark.parametrize("n_frames", [MIN_FRAMES, 13, 25, 60, 100, 480])
def test_phases_are_in_order_and_none_is_missing(n_frames):
    for seed in range(100):
        timing = draw_timing(n_frames, np.random.default_rng(seed))
        phases = timing.phases()
        assert len(phases) == n_frames
        changes = [
            phases[0],
            *(now for before, now in pairwise(phases) if now != before),
        ]
        assert changes == [*PHASES, "neutral"]
        assert phases[timing.key_frame] == "apex"
        assert timing.apex < timing.key_frame < timing.offset - 1 or n_frames < 20


@pytest.mark.parametrize("label", LABELS)
def test_the_key_frame_alone_has_the_greatest_intensity(label):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n_frames = int(rng.integers(MIN_FRAMES, 101))
        played = perform(label, n_frames, 25.0, rng)
        total = total_intensity(played.activations)
        assert np.flatnonzero(total == total.max()).tolist() == [played.timing.key_frame]
        by_hand = sum(
            values.astype(float)
            for name, values in columns(played.activations).items()
            if name != "au45" and "_" not in name
        )
        assert by_hand == pytest.approx(total)


def test_clips_begin_and_end_neutral():
    played = perform("terror", 50, 25.0, np.random.default_rng(3))
    total = total_intensity(played.activations)
    phases = np.array(played.timing.phases())
    assert total[0] == 0
    assert total[-1] == 0
    assert total[phases == "neutral"].max() < 0.05
    assert total[phases == "apex"].min() > 0.8 * total.max()
    assert (np.abs(np.diff(total)) < 0.35 * total.max()).all()


def test_intensities_stay_near_the_recipe():
    for seed in range(20):
        played = perform("anger", 40, 25.0, np.random.default_rng(seed))
        apex = played.activations[played.timing.key_frame]
        for drive in recipes()["anger"]:
            for channel in channels_of(drive.au, drive.side):
                assert 0.75 * drive.intensity <= apex[channel] <= min(1.2 * drive.intensity, 1.0)
        assert (played.activations >= 0).all()
        assert (played.activations <= 1).all()


def test_nobody_blinks_at_the_apex():
    blinks = 0
    for seed in range(40):
        played = perform("optimism", 90, 25.0, np.random.default_rng(seed))
        closure = columns(played.activations)["au45"]
        assert not closure[np.array(played.timing.phases()) == "apex"].any()
        blinks += closure.max() > 0.9
    assert blinks > 10


def test_a_clip_depends_on_seed_sizes_and_id_alone():
    options = SynthOptions(clips_per_class=2, subjects=4)
    more = SynthOptions(clips_per_class=2, subjects=4, seed=1)
    one = plan(options)[17]
    first, again, other = draw_clip(one, options), draw_clip(one, options), draw_clip(one, more)
    assert (first.performance.activations == again.performance.activations).all()
    assert first.scene == again.scene
    assert first.scene != other.scene
    assert first.person != other.person


@pytest.mark.slow
def test_base_poses_and_sizes():
    options = SynthOptions(clips_per_class=8, subjects=8)
    clips = [draw_clip(one, options) for one in plan(options)]
    yaw = np.abs([clip.scene.pose.yaw_deg for clip in clips])
    assert 0.85 < np.mean(yaw <= 15) < 0.98
    assert yaw.max() < 30
    widths = np.array([1.64 * clip.scene.camera.scale_px for clip in clips])
    assert 150 <= widths.min() < 170
    assert 380 < widths.max() <= 420
    seconds = np.array([clip.performance.timing.n_frames / 25 for clip in clips])
    assert 1.0 <= seconds.min() < 1.1
    assert 3.9 < seconds.max() <= 4.0


@pytest.mark.parametrize(("per_class", "subjects"), [(1, 1), (1, 5), (4, 12), (6, 6), (9, 5), (3, 40)])
def test_plan_spreads_classes_over_people(per_class, subjects):
    clips = plan(SynthOptions(clips_per_class=per_class, subjects=subjects))
    assert len(clips) == 33 * per_class == len({clip.clip_id for clip in clips})
    assert [clip.clip_id for clip in clips] == sorted(clip.clip_id for clip in clips)
    for label in LABELS:
        played_by = [clip.subject for clip in clips if clip.label == label]
        assert len(played_by) == per_class
        assert len(set(played_by)) == min(per_class, subjects)
    counts = [sum(clip.subject == number for clip in clips) for number in range(subjects)]
    assert max(counts) - min(counts) <= 33


@pytest.mark.parametrize(
    ("per_class", "subjects", "test_weight"), [(4, 12, 1.5), (6, 6, 1.5), (4, 4, 1.5), (5, 40, 1)]
)
def test_unseen_people_can_cover_all_classes(per_class, subjects, test_weight):
    clips = plan(SynthOptions(clips_per_class=per_class, subjects=subjects))
    members = [Member(clip.clip_id, clip.subject_id, clip.label) for clip in clips]
    weights = {"train": 3, "val": 1, "test": test_weight}
    parts = divide(members, weights, exact=True, cover_all_classes=True, seed=0)
    for part in ("train", "test"):
        assert {clip.label for clip in clips if parts[clip.clip_id] == part} == set(LABELS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clips_per_class", 0),
        ("subjects", 0),
        ("width", 641),
        ("width", 32),
        ("height", 0),
        ("seed", -1),
        ("fps", 0),
        ("min_duration_s", 0.1),
        ("max_duration_s", 0.5),
    ],
)
def test_bad_options_are_named(name, value):
    with pytest.raises(ConfigError, match=f"{name} of the synthetic data set is {value}") as caught:
        SynthOptions(**{name: value})
    assert caught.value.hint
