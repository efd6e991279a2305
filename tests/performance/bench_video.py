"""Decoding: whole clips, the neighbourhood of a key frame, and memory against the length of a clip."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import decord
import numpy as np

from fgbench.media.video import open_video

REPEATS = 3
N_FRAMES, FPS, SIZE = 240, 30, (1280, 720)
KEY_EVERY = 60
BOX = (433, 161, 833, 561)  # 400 x 400 px, odd corners
NEIGHBOURHOOD = range(KEY_EVERY * 3, KEY_EVERY * 3 + 16)


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        clip = _write_clip(Path(name) / "clip.mp4", SIZE, N_FRAMES)
        _table(
            f"decode {N_FRAMES} frames of 720p H.264, one thread",
            "ms CPU a frame",
            {
                "PyAV, rgb24 of the whole frame (baseline)": lambda: _pyav_rgb(clip),
                "PyAV, nothing converted": lambda: _pyav_decode(clip),
                "reader, gray": lambda: _reader(clip, lambda frame: frame.gray()),
                "reader, gray + rgb of 400 x 400": lambda: _reader(
                    clip, lambda frame: (frame.gray(), frame.rgb(BOX))
                ),
                "reader, rgb of the whole frame": lambda: _reader(clip, lambda frame: frame.rgb()),
                "decord, rgb": lambda: _decord(clip),
                "reader decord, rgb": lambda: _reader(clip, lambda frame: frame.rgb(), "decord"),
                "cv2.VideoCapture, bgr": lambda: _opencv(clip),
            },
            per=N_FRAMES,
        )
        _table(
            "16 frames at a key frame of 720p, opening included",
            "ms CPU",
            {
                "PyAV, bare seek + decode (baseline)": lambda: _pyav_near_key(clip),
                "reader": lambda: _reader_near_key(clip),
            },
            repeats=21,
        )
        with av.open(str(clip)) as container, open_video(clip) as reader:
            _single_threaded(container)
            _table(
                "the same, file already open",
                "ms CPU",
                {
                    "PyAV, bare seek + decode (baseline)": lambda: _seek_and_decode(container),
                    "reader": lambda: _exhaust(reader.frames(NEIGHBOURHOOD)),
                },
                repeats=21,
            )
        short = _write_clip(Path(name) / "short.mp4", (320, 240), 10 * FPS)
        long = _repeat(short, Path(name) / "long.mp4", times=60)
        _memory_table(short, long)


def _table(
    title: str, unit: str, ways: dict[str, Callable[[], None]], *, per: int = 1, repeats: int = REPEATS
) -> None:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):  # in turns, so that noise meets all alike
        for name, way in ways.items():
            begin = time.process_time()
            way()
            times[name].append(1000 * (time.process_time() - begin) / per)
    medians = {name: statistics.median(values) for name, values in times.items()}
    baseline = next(iter(medians.values()))
    print(f"| {title} | {unit} | ratio |")
    print("|---|---:|---:|")
    for name, median in medians.items():
        print(f"| {name} | {median:.2f} | {median / baseline:.2f} |")
    print()


def _memory_table(short: Path, long: Path) -> None:
    print("| every frame gray + rgb region, 320 x 240, one process | peak RSS | ratio |")
    print("|---|---:|---:|")
    peaks = {"clip of 10 s (baseline)": _peak_mb(short), "clip of 10 minutes": _peak_mb(long)}
    for name, peak in peaks.items():
        print(f"| {name} | {peak:.0f} MB | {peak / peaks['clip of 10 s (baseline)']:.2f} |")


def _reader(clip: Path, convert: Callable[..., object], decoder: str = "pyav") -> None:
    with open_video(clip, decoder) as reader:
        for frame in reader.frames():
            convert(frame)


def _reader_near_key(clip: Path) -> None:
    with open_video(clip) as reader:
        _exhaust(reader.frames(NEIGHBOURHOOD))


def _exhaust(frames: object) -> None:
    assert sum(1 for _ in frames) == len(NEIGHBOURHOOD)  # type: ignore[attr-defined]


def _single_threaded(container: av.container.InputContainer) -> None:
    container.streams.video[0].thread_type = "NONE"
    container.streams.video[0].codec_context.thread_count = 1


def _pyav_decode(clip: Path) -> None:
    with av.open(str(clip)) as container:
        _single_threaded(container)
        for _ in container.decode(video=0):
            pass


def _pyav_rgb(clip: Path) -> None:
    with av.open(str(clip)) as container:
        _single_threaded(container)
        for frame in container.decode(video=0):
            frame.to_ndarray(format="rgb24", threads=1)


def _pyav_near_key(clip: Path) -> None:
    with av.open(str(clip)) as container:
        _single_threaded(container)
        _seek_and_decode(container)


def _seek_and_decode(container: av.container.InputContainer) -> None:
    stream = container.streams.video[0]
    container.seek(round(NEIGHBOURHOOD[0] / FPS / stream.time_base), stream=stream)
    for number, _ in enumerate(container.decode(stream), start=1):
        if number == len(NEIGHBOURHOOD):
            return


def _decord(clip: Path) -> None:
    video = decord.VideoReader(str(clip), num_threads=1)
    for _ in range(len(video)):
        video.next().asnumpy()


def _opencv(clip: Path) -> None:
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    while capture.read()[0]:
        pass


def _write_clip(path: Path, size: tuple[int, int], n_frames: int) -> Path:
    """A moving, textured, slightly noisy scene."""
    width, height = size
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, size=(height // 8, width // 8, 3), dtype=np.uint8)
    scene = cv2.GaussianBlur(cv2.resize(coarse, size), (0, 0), 5)
    grain = [rng.integers(-4, 5, size=(height, width, 1), dtype=np.int16) for _ in range(4)]
    with av.open(str(path), "w") as output:
        options = {"preset": "veryfast", "crf": "23", "g": str(KEY_EVERY), "bf": "2", "threads": "2"}
        stream = output.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height = size
        for index in range(n_frames):
            image = np.roll(scene, (index, 2 * index), (0, 1)) + grain[index % 4]
            frame = av.VideoFrame.from_ndarray(np.clip(image, 0, 255).astype(np.uint8), format="rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def _repeat(source: Path, target: Path, *, times: int) -> Path:
    """The clip over and over, without encoding it again."""
    with av.open(str(target), "w") as output:
        copied, shift = None, 0
        for _ in range(times):
            with av.open(str(source)) as original:
                stream = original.streams.video[0]
                copied = copied or output.add_stream_from_template(stream)
                for packet in original.demux(stream):
                    if packet.size:
                        packet.stream = copied
                        packet.pts += shift
                        packet.dts += shift
                        output.mux(packet)
                shift += stream.duration
    return target


def _peak_mb(clip: Path) -> float:
    code = f"from tests.performance.bench_video import read_all; read_all({str(clip)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout) / 1024


def read_all(clip: str) -> None:
    """Read a clip as the pipeline does and print the peak memory of the process in KiB."""
    with open_video(clip) as reader:
        for frame in reader.frames():
            frame.gray()
            frame.rgb((33, 21, 233, 221))
    # Of this program alone: the system's ru_maxrss also counts what the parent held when it started it.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    sys.stdout.write(status.split("VmHWM:")[1].split()[0])
