"""Pairs of faces through one transform: noise of the alignment is no movement, movement of the video is."""

from collections import defaultdict
from itertools import pairwise

import cv2
import numpy as np
import pytest

from fgbench.config import FacesConfig, OpticalFlowConfig
from fgbench.faces.geometry import invert
from fgbench.features.optical_flow import decode, flow
from fgbench.media import video
from fgbench.media.images import encode
from fgbench.preparation.stages._steady_pairs import REACH, steady_pairs
from fgbench.preparation.stages.faces import observed
from fgbench.preparation.stages.optical_flow import flow_fields
from fgbench.synthetic.action_units import columns
from fgbench.synthetic.clip import draw_clip, write_video
from fgbench.synthetic.plan import SynthOptions, plan

CHIP = 96


def texture(side=300):
    noise = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def placement(rng=None, scale=0.6):
    """From the frame to the chip: a similarity about the middle of the frame, with noise of ``rng``."""
    turn, zoom, x, y = (
        (0.0, 1.0, 0.0, 0.0) if rng is None else rng.normal((0, 1, 0, 0), (0.01, 0.01, 1.5, 1.5))
    )
    cosine, sine = scale * zoom * np.cos(turn), scale * zoom * np.sin(turn)
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([linear, np.array([x, y]) + (CHIP - 1) / 2 - linear @ [149.5, 149.5]])


def face(number, frame, transform, **more):
    chip = cv2.warpAffine(frame, transform, (CHIP, CHIP), flags=cv2.INTER_LINEAR)
    data = encode(np.dstack([chip] * 3), "png", 95)
    return {
        "frame_index": number,
        "status": "ok",
        "track_id": 0,
        "transform": transform.astype(np.float32).ravel().tolist(),
        "image": {"bytes": data, "path": ""},
        **more,
    }


def moved(frame, x, y):
    return cv2.warpAffine(frame, np.array([[1.0, 0, x], [0, 1, y]]), frame.shape[::-1])


def inner(field):
    return field[16:-16, 16:-16]


def test_noise_of_the_alignment_is_no_movement():
    rng, still = np.random.default_rng(1), texture()
    faces = [face(number, still, placement(rng)) for number in range(14)]
    pairs = list(steady_pairs(faces, size_px=CHIP))
    assert [pair.frame_index for pair in pairs] == list(range(13))
    rms = [np.sqrt(np.mean(np.square(inner(flow(pair.earlier, pair.later))))) for pair in pairs]
    assert max(rms) < 0.12
    chips = [
        cv2.imdecode(np.frombuffer(one["image"]["bytes"], np.uint8), cv2.IMREAD_GRAYSCALE) for one in faces
    ]
    own = [np.sqrt(np.mean(np.square(inner(flow(one, other))))) for one, other in pairwise(chips)]
    assert min(own) > 0.3
    assert np.mean(own) > 10 * np.mean(rms)


def test_movement_of_the_video_stays():
    rng, still = np.random.default_rng(2), texture()
    faces = [face(number, moved(still, 2.0 * number, -number), placement(rng)) for number in range(12)]
    for pair in steady_pairs(faces, size_px=CHIP):
        middle = np.median(inner(flow(pair.earlier, pair.later)), axis=(0, 1))
        np.testing.assert_allclose(middle, [1.2, -0.6], atol=0.1)  # 0.6 px of the chip for one of the frame


def test_pictures_are_those_that_the_mean_placement_shows():
    rng, still = np.random.default_rng(3), texture()
    frames = [moved(still, number, 0) for number in range(13)]
    transforms = [placement(rng).astype(np.float32).astype(float) for _ in frames]
    faces = [face(n, frame, one) for n, (frame, one) in enumerate(zip(frames, transforms, strict=True))]
    for k, pair in enumerate(steady_pairs(faces, size_px=CHIP)):
        around = transforms[max(0, k - REACH + 1) : k + REACH + 1]
        mean = invert(np.mean([invert(one) for one in around], axis=0))
        for frame, seen in ((frames[k], pair.earlier), (frames[k + 1], pair.later)):
            direct = cv2.warpAffine(frame, mean, (CHIP, CHIP), flags=cv2.INTER_LINEAR)
            # Two interpolations in place of one.
            assert np.mean(np.abs(inner(seen).astype(float) - inner(direct))) < 1.5


def test_there_is_no_pair_across_a_gap_a_lost_face_or_another_track():
    still = texture()
    lost = {"frame_index": 3, "status": "no_face", "track_id": None, "transform": None, "image": None}
    other = [face(number, still, placement(), track_id=1) for number in (7, 8)]
    numbers = (0, 1, 2, 4, 6)
    faces = [face(number, still, placement()) for number in numbers]
    faces = sorted([*faces, lost, *other], key=lambda row: row["frame_index"])
    assert [pair.frame_index for pair in steady_pairs(faces, size_px=CHIP)] == [0, 1, 7]


@pytest.mark.parametrize("n_faces", [0, 1, 2, REACH, 2 * REACH, 2 * REACH + 1])
def test_short_runs_have_all_their_pairs(n_faces):
    faces = [face(number, texture(), placement()) for number in range(n_faces)]
    assert len(list(steady_pairs(iter(faces), size_px=32))) == max(0, n_faces - 1)


@pytest.mark.slow
def test_a_still_face_of_a_drawn_clip_moves_less_than_half_as_much_as_one_in_onset(tmp_path):
    sizes = {"width": 480, "height": 270, "min_duration_s": 2.0, "max_duration_s": 2.0}
    options = SynthOptions(clips_per_class=1, subjects=33, **sizes)
    wanted = ("optimism_", "surprise_")
    squares = defaultdict(list)
    for one in [one for one in plan(options) if one.clip_id.startswith(wanted)]:
        clip = draw_clip(one, options)
        write_video(tmp_path / "clip.mp4", clip, options)
        with video.open_video(tmp_path / "clip.mp4") as reader:
            rows = [
                {
                    "frame_index": frame.index,
                    "status": actual.status,
                    "track_id": actual.track_id,
                    "transform": actual.transform,
                    "image": None if actual.chip is None else {"bytes": encode(actual.chip, "jpeg", 95)},
                }
                for frame, actual in observed(reader.frames(), FacesConfig())
            ]
        phases = clip.performance.timing.phases()
        closing = np.diff(columns(clip.performance.activations)["au45"]) != 0
        for row in flow_fields(one.clip_id, rows, OpticalFlowConfig()):
            planes = [cv2.imdecode(np.frombuffer(row[name], np.uint8), cv2.IMREAD_GRAYSCALE) for name in "uv"]
            field = decode(np.stack(planes), bound_px=row["bound_px"])[:, 28:-28, 28:-28]
            if not closing[row["frame_index"]]:  # a blink is a movement, whatever the phase
                squares[phases[row["frame_index"]]].append(np.mean(np.square(field)))
    rms = {phase: np.sqrt(np.mean(actual)) for phase, actual in squares.items()}
    assert rms["neutral"] < 0.5 * rms["onset"], rms  # measured: 0.10 and 0.30 px
    assert rms["apex"] < 0.5 * rms["onset"], rms  # measured: 0.11 px
