"""Video files of many containers and codecs, and files made odd on purpose."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.support.campaigns.cases import Case
from tests.support.campaigns.moving_faces import face_pictures
from tests.support.campaigns.mutations import mutated
from tests.support.video_files import (
    QUICK,
    atom,
    picture,
    set_display_matrix,
    write_audio,
    write_clip,
    write_sound_with_cover,
)

N_FRAMES = 8

FORMATS: tuple[tuple[str, str, str, str | None], ...] = (
    ("h264.mp4", "libx264", "yuv420p", None),
    ("h264.mov", "libx264", "yuv420p", None),
    ("h264.mkv", "libx264", "yuv420p", None),
    ("h264.ts", "libx264", "yuv420p", None),
    ("h264.m2ts", "libx264", "yuv420p", "mpegts"),
    ("h264.flv", "libx264", "yuv420p", None),
    ("hevc.mp4", "libx265", "yuv420p10le", None),
    ("mpeg4.avi", "mpeg4", "yuv420p", None),
    ("mpeg4.3gp", "mpeg4", "yuv420p", None),
    ("mjpeg.avi", "mjpeg", "yuvj420p", None),
    ("mjpeg.mov", "mjpeg", "yuvj420p", None),
    ("ffv1.mkv", "ffv1", "yuv422p10le", None),
    ("raw.avi", "rawvideo", "yuv420p", None),
    ("mpeg1.mpg", "mpeg1video", "yuv420p", None),
    ("mpeg2.vob", "mpeg2video", "yuv420p", "vob"),
    ("mpeg2.mxf", "mpeg2video", "yuv420p", None),
    ("flv1.flv", "flv", "yuv420p", None),
    ("wmv2.wmv", "wmv2", "yuv420p", "asf"),
    ("vp8.webm", "libvpx", "yuv420p", None),
    ("vp9.webm", "libvpx-vp9", "yuv420p", None),
    ("av1.mp4", "libsvtav1", "yuv420p", None),
    ("anim.gif", "gif", "rgb8", None),
    ("prores.mov", "prores_ks", "yuv422p10le", None),
    ("qtrle.mov", "qtrle", "rgb24", None),
)
"""Name, encoder, pixel format, container where the suffix does not say it."""


@contextmanager
def _priority_kept() -> Iterator[None]:
    """Give a thread back the priority that it had.

    SVT-AV1 makes the thread that encodes a real-time one where it may, as root, and leaves it so: its
    computations on several threads would then starve each other, and all else on the machine.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameter)


def write_seeds(
    folder: Path, formats: Sequence[tuple[str, str, str, str | None]] = FORMATS
) -> dict[str, bytes]:
    """Short clips of a face, one per format; name to bytes."""
    with _priority_kept():
        return _write_seeds(folder, formats)


def _write_seeds(folder: Path, formats: Sequence[tuple[str, str, str, str | None]]) -> dict[str, bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    actual = {}
    for number, (name, codec, pixel_format, container) in enumerate(formats):
        options = dict(QUICK) if codec in ("libx264", "libx265") else {}
        if codec == "libx265":
            options["x265-params"] = "log-level=none:pools=1"
        if codec == "libsvtav1":
            options |= {"preset": "12", "svtav1-params": "lp=1"}
        path = write_clip(
            folder / name,
            size=(176, 176),
            codec=codec,
            pixel_format=pixel_format,
            container=container,
            options=options,
            pictures=face_pictures(number, N_FRAMES),
            with_audio=name == "h264.mp4",
            container_options={"fflags": "+bitexact"},
            thread_count=1,
        )
        actual[name] = path.read_bytes()
    return actual


def _plain(path: Path, size: tuple[int, int], n_frames: int = 2, **options: object) -> None:
    width, height = size
    pictures = (np.full((height, width, 3), 40 * number, np.uint8) for number in range(n_frames))
    write_clip(path, size=size, options=QUICK, pictures=pictures, **options)  # type: ignore[arg-type]


def _of_size(width: int, height: int) -> Callable[[Path, random.Random], None]:
    return lambda path, rng: _plain(path.with_suffix(".mp4"), (width, height))


def _of_format(codec: str, pixel_format: str) -> Callable[[Path, random.Random], None]:
    def write(path: Path, rng: random.Random) -> None:
        options = {**QUICK, "qp": "0"} if codec == "libx264" else {}
        write_clip(path.with_suffix(".mkv"), 3, codec=codec, pixel_format=pixel_format, options=options)

    return write


def _size_changes(path: Path, rng: random.Random) -> None:
    """Two coded sizes in one transport stream, one clip behind the other."""
    parts = [path.with_suffix(f".{number}.ts") for number in range(2)]
    _plain(parts[0], (64, 48), 5)
    _plain(parts[1], (128, 96), 5)
    path.with_suffix(".ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    for part in parts:
        part.unlink()


def _turned(path: Path, rng: random.Random) -> None:
    """A display matrix of no rotation that exists."""
    plain = write_clip(path.with_suffix(".tmp.mp4"), 3)
    matrix = [rng.choice((0.0, 0.5, 1.0, -1.0, 30000.0)) for _ in range(4)]
    set_display_matrix(plain, path.with_suffix(".mp4"), matrix)
    plain.unlink()


def _nested_boxes(path: Path, rng: random.Random) -> None:
    """Boxes within boxes, ten thousand deep."""
    depth = 10_000
    body = b"".join(struct.pack(">I4s", 8 * (depth - level), b"moov") for level in range(depth))
    path.with_suffix(".mp4").write_bytes(struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + body)


def _many_tracks(path: Path, rng: random.Random) -> None:
    """The only track of a clip five thousand times over."""
    plain = write_clip(path.with_suffix(".tmp.mp4"), 2).read_bytes()
    path.with_suffix(".tmp.mp4").unlink()
    begin, end = atom(plain, b"moov", b"trak")
    track = plain[begin - 8 : end]
    moov_begin, moov_end = atom(plain, b"moov")
    body = plain[moov_begin:moov_end] + track * 5000
    path.with_suffix(".mp4").write_bytes(
        plain[: moov_begin - 8] + struct.pack(">I4s", 8 + len(body), b"moov") + body + plain[moov_end:]
    )


def _times_apart(path: Path, rng: random.Random) -> None:
    """Frames that are hours apart, or all at one instant."""
    far = rng.random() < 0.5
    times = [number * (3_600_000 if far else 1) for number in range(4)]
    write_clip(path.with_suffix(".mkv"), 4, times_ms=times)


def _zero_length(path: Path, rng: random.Random) -> None:
    path.with_suffix(rng.choice((".mp4", ".avi", ".mkv"))).write_bytes(b"")


def _text(path: Path, rng: random.Random) -> None:
    """Playlists and lists that players follow to other files."""
    texts = (
        "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "ffconcat version 1.0\nfile /etc/passwd\n",
        "<?xml version='1.0'?><MPD/>",
        "[playlist]\nFile1=http://127.0.0.1:9/x\n",
    )
    path.with_suffix(".mp4").write_text(rng.choice(texts), encoding="utf-8")


def _sound(path: Path, rng: random.Random) -> None:
    write_audio(path.with_suffix(".mp4"))


def _sound_with_cover(path: Path, rng: random.Random) -> None:
    write_sound_with_cover(path.with_suffix(".mp4"))


def _aspect(path: Path, rng: random.Random) -> None:
    """Pixels that are not square, some of them absurdly."""
    shape = rng.choice((Fraction(64, 45), Fraction(16, 11), Fraction(1, 1000), Fraction(1000), Fraction(0)))
    with av.open(str(path.with_suffix(".mkv")), "w") as output:
        stream = output.add_stream("libx264", rate=25, options=QUICK)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.sample_aspect_ratio = shape
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


ODD: Mapping[str, Callable[[Path, random.Random], None]] = {
    "size_16x16": _of_size(16, 16),
    "size_2x640": _of_size(2, 640),
    "size_640x2": _of_size(640, 2),
    "size_4096x16": _of_size(4096, 16),
    "size_16384x16": _of_size(16384, 16),
    "size_8192x4096": _of_size(8192, 4096),
    "gray10": _of_format("ffv1", "gray10le"),
    "gray16": _of_format("ffv1", "gray16le"),
    "yuva444": _of_format("ffv1", "yuva444p"),
    "rgb48": _of_format("ffv1", "rgb48le"),
    "bgra": _of_format("ffv1", "bgra"),
    "yuv410": _of_format("ffv1", "yuv410p"),
    "yuv444": _of_format("libx264", "yuv444p"),
    "gray": _of_format("libx264", "gray"),
    "yuv420_10": _of_format("libx264", "yuv420p10le"),
    "size_changes": _size_changes,
    "turned": _turned,
    "nested_boxes": _nested_boxes,
    "many_tracks": _many_tracks,
    "times_apart": _times_apart,
    "zero_length": _zero_length,
    "text": _text,
    "sound": _sound,
    "sound_with_cover": _sound_with_cover,
    "aspect": _aspect,
}
"""Clips that are made odd on purpose; every sixth case is one of them."""

ODD_EVERY = 6


def write_case(case: Case, folder: Path, seeds: Mapping[str, bytes]) -> str:
    """Write the file of a case, named :attr:`Case.name` with a suffix; returns how it was made."""
    rng = case.random()
    if case.number % ODD_EVERY == ODD_EVERY - 1:
        name = sorted(ODD)[case.number // ODD_EVERY % len(ODD)]
        ODD[name](folder / case.name, rng)
        return name
    name = rng.choice(sorted(seeds))
    how, data = mutated(seeds[name], rng, [seeds[other] for other in sorted(seeds)])
    suffix = Path(name if rng.random() < 0.9 else rng.choice(sorted(seeds))).suffix
    (folder / f"{case.name}{suffix}").write_bytes(data)
    return f"{name} {how}"
