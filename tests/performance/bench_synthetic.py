"""Drawing the embedded data set: frames per second of one core, at 1280x720.

The clips are those that ``fgbench synth`` draws with seed 0, spread over classes and persons. CPU time of the
process, one thread. The yardstick is one bilinear ``cv2.remap`` of a three-channel 1280x720 picture.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from fgbench.synthetic.clip import Clip, draw_clip, truth, write_video
from fgbench.synthetic.encode import h264_file
from fgbench.synthetic.film import Film
from fgbench.synthetic.plan import SynthOptions, plan
from fgbench.synthetic.render import Renderer

OPTIONS = SynthOptions(max_duration_s=2.0)
CLIPS = 12


def main() -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    clips = [draw_clip(one, OPTIONS) for one in plan(OPTIONS)[:: 165 // CLIPS][:CLIPS]]
    for clip in clips:  # colours of persons and relief are made once per process
        Renderer(clip.person, clip.scene, OPTIONS.width, OPTIONS.height).picture(
            clip.performance.activations[clip.performance.timing.key_frame], clip.scene.pose
        )
    drawn: dict[str, list[float]] = {name: [] for name in ("drawing", "encoding", "both", "whole clip")}
    n_frames = 0
    with tempfile.TemporaryDirectory() as name:
        for clip in clips:
            n_frames += clip.performance.timing.n_frames
            path = Path(name) / "clip.mp4"
            frames, seconds = _timed(lambda clip=clip: _frames(clip))
            drawn["drawing"].append(seconds)
            drawn["encoding"].append(_timed(lambda frames=frames, path=path: _encode(path, frames))[1])
            drawn["both"].append(drawn["drawing"][-1] + drawn["encoding"][-1])
            drawn["whole clip"].append(
                _timed(lambda clip=clip, path=path: (write_video(path, clip, OPTIONS), truth(clip)))[1]
            )
    yardstick_s = _yardstick_s()
    print("| step | ms per frame | frames/s per core | yardsticks per frame |\n|---|---:|---:|---:|")
    for step, seconds in drawn.items():
        per_frame_s = sum(seconds) / n_frames
        print(
            f"| {step} | {1e3 * per_frame_s:.2f} | {1 / per_frame_s:.0f} | {per_frame_s / yardstick_s:.2f} |"
        )
    print(
        f"\n{len(clips)} clips, {n_frames} frames; faces of {_widths(clips)} px. A whole clip includes its"
        f" backdrop, its truth table and the file. Yardstick: {1e3 * yardstick_s:.2f} ms."
    )


def _frames(clip: Clip) -> list[np.ndarray]:
    renderer = Renderer(clip.person, clip.scene, OPTIONS.width, OPTIONS.height)
    film = Film(renderer.backdrop, clip.scene)
    frames = []
    for number, activation in enumerate(clip.performance.activations):
        left, up = clip.performance.gaze[number].tolist()
        patch, corner = renderer.patch(activation, clip.pose(number), gaze=(left, up))
        frames.append(film.frame(patch, corner, number).copy())
    return frames


def _encode(path: Path, frames: list[np.ndarray]) -> None:
    with h264_file(path, OPTIONS.width, OPTIONS.height, OPTIONS.fps) as append:
        for frame in frames:
            append(frame)


def _timed(work: Callable[[], object]) -> tuple[object, float]:
    begin = time.process_time()
    result = work()
    return result, time.process_time() - begin


def _yardstick_s() -> float:
    picture = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    x, y = np.meshgrid(np.arange(1280, dtype=np.float32) * 0.9, np.arange(720, dtype=np.float32) * 0.9)
    times = [_timed(lambda: cv2.remap(picture, x, y, cv2.INTER_LINEAR))[1] for _ in range(15)]
    return float(np.median(times))


def _widths(clips: list[Clip]) -> str:
    widths = sorted(1.64 * clip.scene.camera.scale_px for clip in clips)
    return f"{widths[0]:.0f} to {widths[-1]:.0f}"
