"""The control set "motion": no single frame tells its classes apart, motion does."""

import json
from collections import Counter, defaultdict

import av
import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import binom
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import PrepareConfig, load_prepare
from fgbench.datasets import fg_emotions
from fgbench.errors import ConfigError
from fgbench.preparation import prepare
from fgbench.storage import read_rows
from fgbench.synthetic.action_units import total_intensity
from fgbench.synthetic.clip import draw_clip, drawn_frames
from fgbench.synthetic.dataset import SynthOptions, generate
from fgbench.synthetic.motion import perform_motion
from fgbench.synthetic.plan import plan
from fgbench.taxonomy import leaves
from fgbench.workfolders.layout import MANIFESTS

OPTIONS = SynthOptions(clips_per_class=6, subjects=6, width=256, height=192, seed=3, control="motion")
ONSET = {"amazement": 24, "surprise": 10, "astonishment": 4}
OFFSET = {"amazement": 4, "surprise": 18, "astonishment": 24}
NEAR = range(-3, 4)
"""Frames around the key frame that go to the image set."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The control set, drawn."""
    return generate(tmp_path_factory.mktemp("motion") / "data", OPTIONS, jobs=2)


@pytest.fixture(scope="module")
def luma(made):
    """Clip id to its decoded frames, uint8 (frames, H, W)."""
    actual = {}
    for clip in plan(OPTIONS):
        with av.open(str(made / "videos" / f"{clip.clip_id}.mp4")) as container:
            frames = [frame.to_ndarray() for frame in container.decode(video=0)]
        actual[clip.clip_id] = np.stack(frames)[:, : OPTIONS.height]
    return actual


def key_frames(root):
    return {entry.clip_id: entry.key_frame for entry in fg_emotions.list_clips(root)}


def matched(clips):
    """Group id to its clips by class."""
    groups = defaultdict(dict)
    for clip in clips:
        groups[clip.group_id][clip.label] = clip
    return groups


def unseen_persons_right(features, clips, model):
    """How many clips are classified rightly, each person by a model that saw the other persons only."""
    labels = np.array([clip.label for clip in clips])
    persons = np.array([clip.subject for clip in clips])
    right = 0
    for person in np.unique(persons):
        held_out = persons == person
        model.fit(features[~held_out], labels[~held_out])
        right += int((model.predict(features[held_out]) == labels[held_out]).sum())
    return right


def by_chance(n_clips, share):
    """Number of right answers that guessing among three classes stays below with a probability."""
    return binom.ppf(share, n_clips, 1 / 3)


@pytest.mark.parametrize(("per_class", "subjects"), [(1, 1), (8, 8), (5, 3), (2, 9)])
def test_classes_and_persons_are_balanced(per_class, subjects):
    clips = plan(SynthOptions(clips_per_class=per_class, subjects=subjects, control="motion"))
    assert Counter(clip.label for clip in clips) == dict.fromkeys(ONSET, per_class)
    assert [clip.clip_id for clip in clips] == sorted({clip.clip_id for clip in clips})
    assert all(set(group) == set(ONSET) for group in matched(clips).values())
    assert all(len({clip.subject for clip in group.values()}) == 1 for group in matched(clips).values())
    counts = Counter(clip.subject for clip in clips)
    assert len(counts) == min(per_class, subjects)
    assert max(counts.values()) - min(counts.values()) <= len(ONSET)


def test_classes_are_leaves_of_the_class_tree():
    assert set(ONSET) <= {leaf.name for leaf in leaves()}


@pytest.mark.slow
def test_truth_differs_by_the_speed_of_the_onset_alone(made):
    truth = pq.read_table(made / "truth.parquet").to_pandas()
    key = truth[truth["is_key_frame"]].set_index("clip_id")["frame_index"]
    units = [name for name in truth.columns if name.startswith("au")]
    same = [*units, "landmarks", "yaw_deg", "pitch_deg", "roll_deg"]
    assert truth["au45"].max() == 0
    for group in matched(plan(OPTIONS)).values():
        rows = {
            label: truth[truth["clip_id"] == clip.clip_id].reset_index(drop=True)
            for label, clip in group.items()
        }
        first = rows["surprise"]
        key_frame = key[group["surprise"].clip_id]
        for label, table in rows.items():
            phases = table["phase"].tolist()
            assert (phases.count("onset"), phases.count("offset")) == (ONSET[label], OFFSET[label])
            assert (len(table), key[group[label].clip_id]) == (len(first), key_frame)
            apex = range(key_frame - 3, key_frame + 4)
            assert {phases[frame] for frame in apex} == {"apex"}
            neutral = [
                frame for frame in range(len(table)) if {phases[frame], first["phase"][frame]} == {"neutral"}
            ]
            assert {0, 1, 2, len(table) - 1} <= set(neutral)
            for name in same:
                wanted, actual = (np.stack(one[name].to_numpy()) for one in (first, table))
                assert (wanted[[*apex, *neutral]] == actual[[*apex, *neutral]]).all()
            assert table["au01"].iloc[key_frame] > 0.7


def test_the_key_frame_alone_has_the_greatest_intensity():
    for seed in range(30):
        for label in ONSET:
            played = perform_motion(label, 25.0, np.random.default_rng(seed))
            total = total_intensity(played.activations)
            assert np.flatnonzero(total == total.max()).tolist() == [played.timing.key_frame]
            assert total[0] == total[-1] == 0


@pytest.mark.slow
def test_intensities_of_all_frames_are_distributed_alike_in_all_classes():
    relative = defaultdict(list)
    for seed in range(300):
        for label in ONSET:
            played = perform_motion(label, 25.0, np.random.default_rng(seed))
            total = total_intensity(played.activations)
            timing = played.timing
            changing = [*range(timing.onset, timing.apex), *range(timing.offset, timing.rest)]
            assert len(changing) == 28
            relative[label].append(total[changing] / total.max())
    shares = [
        np.histogram(np.concatenate(values), bins=10, range=(0, 1))[0] / (28 * 300)
        for values in relative.values()
    ]
    assert sum(shares[0]) == pytest.approx(1)
    assert np.ptp(shares, axis=0).max() < 0.015


@pytest.mark.slow
def test_apex_and_neutral_frames_are_drawn_the_same_to_the_pixel():
    group = matched(plan(OPTIONS))["s02_002"]
    pictures = {}
    for label, clip in group.items():
        drawn = draw_clip(clip, OPTIONS)
        key_frame, last = drawn.performance.timing.key_frame, drawn.performance.timing.n_frames - 1
        wanted = [0, 2, *(key_frame + index for index in NEAR), last]
        pictures[label] = [planes.copy() for planes in drawn_frames(drawn, OPTIONS, wanted)]
    first, *others = pictures.values()
    assert all((mine == theirs).all() for other in others for mine, theirs in zip(first, other, strict=True))
    assert not (first[0] == first[5]).all()


@pytest.mark.slow
def test_decoded_apex_frames_are_the_same_to_the_pixel(made, luma):
    key = key_frames(made)
    for group in matched(plan(OPTIONS)).values():
        first, *others = (
            luma[clip.clip_id][[key[clip.clip_id] + index for index in NEAR]] for clip in group.values()
        )
        assert all((first == other).all() for other in others)


@pytest.mark.slow
def test_a_single_frame_does_not_tell_the_class(made, luma):
    key = key_frames(made)
    clips = plan(OPTIONS)
    features = np.stack(
        [
            cv2.resize(luma[clip.clip_id][key[clip.clip_id]], (16, 12), interpolation=cv2.INTER_AREA).ravel()
            for clip in clips
        ]
    ).astype(float)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5)
    right = unseen_persons_right(features, clips, model)
    assert by_chance(len(clips), 0.001) <= right <= by_chance(len(clips), 0.999)


@pytest.mark.slow
def test_motion_tells_the_class(made, luma):
    truth = pq.read_table(made / "truth.parquet", filters=[("is_key_frame", "=", True)]).to_pandas()
    clips = plan(OPTIONS)
    features = []
    for clip in clips:
        row = truth[truth["clip_id"] == clip.clip_id].iloc[0]
        (left, top), (right, bottom) = (
            bound(row["landmarks"].reshape(68, 2), axis=0).astype(int) for bound in (np.min, np.max)
        )
        faces = luma[clip.clip_id][:, max(top, 0) : bottom, max(left, 0) : right]
        small = np.stack([cv2.resize(face, (48, 48), interpolation=cv2.INTER_AREA) for face in faces])
        change = np.abs(small[2:].astype(float) - small[:-2]).mean(axis=(1, 2))
        before, after = change[: row["frame_index"] - 2].max(), change[row["frame_index"] :].max()
        features.append([np.log(before), np.log(after)])
    right = unseen_persons_right(np.array(features), clips, LinearDiscriminantAnalysis())
    assert right > by_chance(len(clips), 0.99999)


@pytest.mark.slow
def test_length_and_key_frame_vary_and_tell_nothing(made):
    key = key_frames(made)
    lengths = {clip.clip_id: draw_clip(clip, OPTIONS).performance.timing.n_frames for clip in plan(OPTIONS)}
    groups = [
        [(lengths[c.clip_id], key[c.clip_id]) for c in g.values()] for g in matched(plan(OPTIONS)).values()
    ]
    assert all(len(set(group)) == 1 for group in groups)
    assert len({group[0] for group in groups}) > 3


@pytest.mark.slow
def test_the_set_says_what_it_is(made):
    marker = json.loads((made / "synthetic.json").read_text())
    assert marker["options"]["control"] == "motion"
    assert marker["onset_frames"] == ONSET
    assert marker["offset_frames"] == OFFSET
    assert marker["played_as"] == "astonishment"
    assert "real faces" in marker["note"]
    assert "No single frame tells the class" in marker["note"]


@pytest.mark.slow
def test_the_same_options_give_the_same_bytes(made, tmp_path):
    one = SynthOptions(clips_per_class=1, subjects=1, width=160, height=120, control="motion")
    first, again = (generate(tmp_path / name, one, jobs=jobs) for name, jobs in (("a", 1), ("b", 2)))
    names = sorted(path.relative_to(first) for path in first.rglob("*.*") if path.name != ".lock")
    assert len(names) == 6
    assert all((first / name).read_bytes() == (again / name).read_bytes() for name in names)


def test_another_seed_gives_other_scenes():
    clip = plan(OPTIONS)[0]
    other = SynthOptions(clips_per_class=6, subjects=6, width=256, height=192, seed=4, control="motion")
    assert draw_clip(clip, OPTIONS).scene != draw_clip(clip, other).scene


@pytest.mark.slow
def test_usual_sets_are_recorded_without_a_control(made):
    with pytest.raises(ConfigError, match="control is 'motion' there, None wanted"):
        generate(made, SynthOptions(clips_per_class=6, subjects=6, width=256, height=192, seed=3))


def test_unknown_controls_are_refused():
    with pytest.raises(ConfigError, match="unknown control 'motoin'") as caught:
        SynthOptions(control="motoin")
    assert caught.value.hint == "did you mean 'motion'? known controls: motion"


@pytest.mark.slow
def test_command(tmp_path):
    words = ["synth", str(tmp_path / "set"), "--subjects", "1", "--size", "160x120", "--jobs", "1"]
    done = CliRunner().invoke(app, [*words, "--control", "motion"])
    assert done.exit_code == 0, done.output
    assert "drawing 3 clips of 1 synthetic person into" in done.output
    assert len(list((tmp_path / "set" / "videos").iterdir())) == 3
    wrong = CliRunner().invoke(app, [*words, "--control", "speed"])
    assert wrong.exit_code == 3
    assert "known controls: motion" in wrong.output


@pytest.mark.slow
def test_prepared_faces_tell_nothing_and_flow_tells_the_class(made, tmp_path):
    demo = load_prepare("demo").model_dump()
    sections = {"optical_flow": {"enabled": True}, "lbp": {"enabled": False}}
    config = PrepareConfig.model_validate({**demo, **sections})
    report = prepare.run(config, made, tmp_path, jobs=2)
    assert all(not stage.rejected for stage in report.stages)
    manifests = tmp_path / MANIFESTS
    rows = {row["clip_id"]: row for row in read_rows(manifests / "clips.parquet")}
    clips = plan(OPTIONS)
    for part in ("train", "val", "test"):
        counts = Counter(row["label"] for row in rows.values() if row["split"] == part)
        assert set(counts) == set(ONSET)
        assert len(set(counts.values())) == 1
    chips, energy = {}, defaultdict(dict)
    for path in sorted((manifests / "faces").iterdir()):
        for row in read_rows(path):
            assert row["status"] == "ok"
            if row["frame_index"] == rows[row["clip_id"]]["key_frame"]:
                grey = cv2.imdecode(np.frombuffer(row["image"]["bytes"], np.uint8), cv2.IMREAD_GRAYSCALE)
                chips[row["clip_id"]] = cv2.resize(grey, (16, 16), interpolation=cv2.INTER_AREA).ravel()
    for path in sorted((manifests / "features" / "optical_flow").iterdir()):
        for row in read_rows(path):
            field = np.stack(
                [cv2.imdecode(np.frombuffer(row[name], np.uint8), cv2.IMREAD_GRAYSCALE) for name in "uv"]
            )
            field = field - np.median(field, axis=(1, 2), keepdims=True)
            energy[row["clip_id"]][row["frame_index"]] = float((field**2).mean())
    faces = np.stack([chips[clip.clip_id] for clip in clips]).astype(float)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5)
    assert unseen_persons_right(faces, clips, model) <= by_chance(len(clips), 0.999)
    speeds = []
    for clip in clips:
        key_frame = rows[clip.clip_id]["key_frame"]
        before = max(value for frame, value in energy[clip.clip_id].items() if frame < key_frame)
        after = max(value for frame, value in energy[clip.clip_id].items() if frame >= key_frame)
        speeds.append([np.log(before / after)])
    assert unseen_persons_right(np.array(speeds), clips, LinearDiscriminantAnalysis()) > by_chance(
        len(clips), 0.999
    )
