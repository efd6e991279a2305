"""Videos that are not shown as they are stored: squeezed, of high dynamic range, of several sizes, turned."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image
from skimage.data import astronaut

from tests.support.video_files import write_clip

PQ, HLG = 16, 18
DVD_ASPECT = Fraction(64, 45)


def portrait(size: tuple[int, int] = (512, 512)) -> np.ndarray:
    """A real face before a ground, (H, W, 3) uint8 RGB, its shape kept, black beside it."""
    width, height = size
    side = min(size)
    picture = cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    left, top = (width - side) // 2, (height - side) // 2
    beside = (top, height - side - top, left, width - side - left)
    return cv2.copyMakeBorder(picture, *beside, cv2.BORDER_CONSTANT)


def write_squeezed(
    path: Path,
    upright: np.ndarray,
    stored: tuple[int, int],
    aspect: Fraction,
    n_frames: int = 3,
    **how: object,
) -> Path:
    """A clip whose pixels are not square.

    Args:
        path: Where to.
        upright: (H, W, 3) RGB as it is to be seen.
        stored: Width and height in px as it is stored.
        aspect: Width over height of a stored pixel.
        n_frames: Number of frames.
        how: As :func:`video_files.write_clip`.
    """
    squeezed = cv2.resize(upright, stored, interpolation=cv2.INTER_AREA)
    pictures = [squeezed] * n_frames
    how.setdefault("options", {"preset": "ultrafast", "crf": "12", "bf": "0"})
    return write_clip(path, size=stored, pictures=pictures, sample_aspect_ratio=aspect, **how)


def coded_hdr(upright: np.ndarray, transfer: int) -> np.ndarray:
    """An SDR picture as BT.2020 with PQ or HLG: (H, W, 3) float64 from 0 to 1.

    SDR white is 203 cd/m2, its gamma 2.4; written down from SMPTE ST 2084 and ITU-R BT.2100.
    """
    to_bt2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    nits = 203 * (upright / 255) ** 2.4 @ to_bt2020.T
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        power = (nits / 10000) ** m1
        return ((c1 + c2 * power) / (1 + c3 * power)) ** m2
    luminance = nits @ [0.2627, 0.6780, 0.0593]
    scene = nits / 1000 * np.maximum(luminance / 1000, 1e-9)[..., None] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


def write_hdr(path: Path, upright: np.ndarray, transfer: int, n_frames: int = 2) -> Path:
    """A clip of ten bits in BT.2020 with PQ or HLG, coded without loss.

    Args:
        path: Where to.
        upright: (H, W, 3) uint8 SDR picture that it shows.
        transfer: ``PQ`` or ``HLG``.
        n_frames: Number of frames.
    """
    coded = coded_hdr(upright, transfer)
    luma = coded @ [0.2627, 0.6780, 0.0593]
    blue, red = (coded[..., 2] - luma) / 1.8814, (coded[..., 0] - luma) / 1.4746
    planes = [64 + 876 * luma, 512 + 896 * blue, 512 + 896 * red]
    frame = av.VideoFrame(upright.shape[1], upright.shape[0], "yuv444p10le")
    for plane, samples in zip(frame.planes, planes, strict=True):
        rows = np.frombuffer(plane, np.uint16).reshape(plane.height, -1)
        rows[:, : plane.width] = np.rint(samples)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv444p10le"
        for target in (stream.codec_context, frame):
            target.color_trc, target.color_primaries, target.colorspace, target.color_range = (
                transfer,
                9,
                9,
                1,
            )
        for index in range(n_frames):
            frame.pts = index
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def write_sizes(path: Path, parts: Sequence[np.ndarray], n_frames: int = 4) -> Path:
    """A clip whose size changes: so many frames of each picture, one after another.

    Args:
        path: Where to; ``.mkv``, whose header tells of the first size, or a bare stream ``.h264``.
        parts: (H, W, 3) uint8 RGB each.
        n_frames: Of each.
    """
    data = []
    for number, upright in enumerate(parts):
        part = path.with_name(f"{path.stem}-{number}.h264")
        height, width = upright.shape[:2]
        options = {"preset": "ultrafast", "crf": "12", "bf": "0"}
        write_clip(
            part, size=(width, height), pictures=[upright] * n_frames, options=options, container="h264"
        )
        data.append(part)
    if path.suffix == ".h264":
        path.write_bytes(b"".join(part.read_bytes() for part in data))
        return path
    with av.open(str(data[0])) as first, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(first.streams.video[0])
        for number, part in enumerate(data):
            with av.open(str(part)) as source:
                packets = (packet for packet in source.demux(video=0) if packet.size)
                for index, packet in enumerate(packets):
                    packet.stream, packet.time_base = stream, Fraction(1, 25)
                    packet.pts = packet.dts = number * n_frames + index
                    output.mux(packet)
    for part in data:
        part.unlink()
    return path


def write_time_lapse(path: Path, upright: np.ndarray, orientation: int, n_frames: int = 3) -> Path:
    """JPEG pictures with EXIF data as a film, as cameras write them.

    Args:
        path: Where to.
        upright: (H, W, 3) uint8 RGB as it is stored.
        orientation: Value of the EXIF tag, 1 to 8.
        n_frames: Number of frames.
    """
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "a maker"
    file = io.BytesIO()
    Image.fromarray(upright).save(file, "JPEG", exif=exif, quality=95)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=5)
        stream.width, stream.height, stream.pix_fmt = upright.shape[1], upright.shape[0], "yuvj420p"
        for index in range(n_frames):
            packet = av.Packet(file.getvalue())
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 5), True
            packet.pts = packet.dts = index
            output.mux(packet)
    return path
