"""Clips with the traps of video files, and what a plain decode gives of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from tests.support.video_files import QUICK, copy_stream, write_clip

IRREGULAR_MS = np.cumsum([0, *np.random.default_rng(7).integers(15, 90, size=39)]).tolist()


def x264(**parameters: object) -> dict[str, str]:
    """Options of libx264: 10 frames between key frames, 2 B-frames, and what is given."""
    text = ":".join(f"{name.replace('_', '-')}={value}" for name, value in parameters.items())
    return {**QUICK, "g": "10", "bf": "2", "sc_threshold": "0", "x264-params": text}


def x265(**parameters: object) -> dict[str, str]:
    """Options of libx265: 10 frames between key frames, 3 B-frames, and what is given."""
    settings = {"keyint": 10, "bframes": 3, "log-level": "none", **parameters}
    text = ":".join(f"{name.replace('_', '-')}={value}" for name, value in settings.items())
    return {"preset": "ultrafast", "x265-params": text}


def _copied(source: str, **how: float) -> Callable[[Clips, Path], Path]:
    return lambda clips, path: copy_stream(clips[source], path, **how)


def _encoded(**how: object) -> Callable[[Clips, Path], Path]:
    return lambda _, path: write_clip(path, **how)


CLIPS: dict[str, Callable[[Clips, Path], Path]] = {
    "plain.mp4": _encoded(),
    "plain.mkv": _encoded(),
    "plain.mov": _encoded(with_audio=True),
    "plain.avi": _encoded(),
    "plain.ts": _encoded(),
    "faststart.mp4": _encoded(container_options={"movflags": "+faststart"}),
    "fragmented.mp4": _encoded(container_options={"movflags": "+frag_keyframe+empty_moov"}),
    "long_group.mp4": _encoded(n_frames=90, options={**QUICK, "g": "250", "bf": "3"}),
    "pyramid.mp4": _encoded(options={"preset": "medium", "g": "12", "bf": "5", "b-pyramid": "normal"}),
    "irregular.mp4": _encoded(times_ms=IRREGULAR_MS),
    "irregular.mkv": _encoded(times_ms=IRREGULAR_MS),
    "single.mp4": _encoded(n_frames=1),
    "single.mkv": _encoded(n_frames=1),
    "open_group.mp4": _encoded(options=x264(open_gop=1, bframes=3, b_adapt=0)),
    "open_group.mkv": _encoded(options=x264(open_gop=1, bframes=3, b_adapt=0)),
    "refresh.mp4": _encoded(options=x264(intra_refresh=1, keyint=15, bframes=0)),
    "interlaced.mp4": _encoded(options=x264(tff=1)),
    "hevc.mp4": _encoded(codec="libx265", options=x265(open_gop=0, bframes=0)),
    "hevc_open.mp4": _encoded(codec="libx265", options=x265(open_gop=1)),
    "mpeg4.mp4": _encoded(codec="mpeg4", options={"g": "10"}, max_b_frames=2),
    "mpeg4.avi": _encoded(codec="mpeg4", options={"g": "10"}, max_b_frames=2),
    "mjpeg.avi": _encoded(codec="mjpeg", pixel_format="yuvj420p"),
    "vp8_hidden.webm": _encoded(
        codec="libvpx", options={"cpu-used": "4", "auto-alt-ref": "1", "lag-in-frames": "16", "g": "15"}
    ),
    "vp9.webm": _encoded(codec="libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8", "g": "10"}),
    "yuv422.mp4": _encoded(pixel_format="yuv422p"),
    "yuv444_odd.mp4": _encoded(pixel_format="yuv444p", size=(161, 121)),
    "yuv420_odd.avi": _encoded(codec="mjpeg", pixel_format="yuvj420p", size=(161, 121)),
    "ten_bits.mp4": _encoded(pixel_format="yuv420p10le"),
    "rgb.mp4": _encoded(codec="libx264rgb", pixel_format="rgb24", options=QUICK),
    # As `ffmpeg -ss ... -c copy` cuts: an edit list hides the frames before the start.
    "edits.mp4": _copied("plain.mp4", start_s=0.52),
    "edits_irregular.mov": _copied("irregular.mp4", start_s=0.72),
    "edits_hevc.mp4": _copied("hevc_open.mp4", start_s=0.52),
    # Cut without one: the first frames of an open group lack what they are predicted from.
    "open_start.mkv": _copied("open_group.mkv", start_s=0.5),
    "no_first_key.mp4": _copied("plain.mp4", skip_packets=3),
    "no_first_key.mkv": _copied("plain.mkv", skip_packets=3),
}


class Clips:
    """Makes clips on first use: ``clips["plain.mp4"]`` is a path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Path:
        path = self._folder / name
        return path if path.exists() else CLIPS[name](self, path)


def plain_decode(path: Path) -> list[np.ndarray]:
    """RGB of every frame that a plain decode from the start gives, with PyAV alone."""
    pictures = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            try:
                pictures += [frame.to_ndarray(format="rgb24") for frame in packet.decode()]
            except av.FFmpegError:
                continue
    return pictures
