"""Kinds of files: picture, video, table, text or other, by name or first bytes.

:func:`kind_of_name` opens nothing. :func:`kind_of` reads the first bytes if the name does not suffice, and
:func:`kind_by_content` always does so. Animated pictures: a GIF counts as a video by its name, since
most that are kept with clips move; by content a GIF or PNG of several frames is a video (without times for
them it is refused when it is read), one of a single frame is a picture.
"""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import Literal

from fgbench.files.regular_files import first_bytes, open_regular
from fgbench.media.picture_headers import DAMAGE

Kind = Literal["picture", "video", "table", "text", "other"]
"""Kind of a file; fgbench never reads ``other``."""


def _suffixes(words: str) -> frozenset[str]:
    return frozenset(f".{word}" for word in words.split())


PICTURE_SUFFIXES = _suffixes(
    "jpg jpeg jpe jfif mpo png apng bmp dib tif tiff webp heic heif hif avif jp2 j2k jpf jpx jpc jxl tga "
    "ppm pgm pbm pnm"
)
"""Suffixes of still pictures, lower case."""

VIDEO_SUFFIXES = _suffixes(
    "mp4 m4v mov qt avi divx mkv mk3d webm mpg mpeg mpe mpv m1v m2v m2p ts mts m2ts m2t tod mod vob ogv ogm "
    "ogg wmv asf flv f4v 3gp 3gpp 3g2 mxf gxf dv dif rm rmvb mjpg mjpeg y4m ivf h264 264 avc h265 265 hevc "
    "obu nut amv wtv insv lrv gif"
)
"""Suffixes of videos, lower case."""

TABLE_SUFFIXES = _suffixes("csv tsv xls xlsx ods parquet arrow feather mat npy npz h5 hdf5")
"""Suffixes of tables of numbers, lower case."""

TEXT_SUFFIXES = _suffixes(
    "txt md rst json jsonl xml yaml yml html htm log ini cfg toml py m tex bib srt vtt ass pts lst list "
    "readme licence license"
)
"""Suffixes of texts, lower case."""

OTHER_SUFFIXES = _suffixes(
    "zip tar gz tgz bz2 xz 7z rar db ds_store lnk url exe dll so pdf doc docx ppt pptx rtf wav mp3 m4a aac "
    "flac wma opus aif aiff mid pt pth pkl onnx safetensors torrent part crdownload tmp bak thm aae ctg bup "
    "ifo cpi mpl bdm psd xcf ai eps svg ico cur"
)
"""Suffixes of files that fgbench never reads, lower case: archives, sounds, documents, side files."""

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(OTHER_SUFFIXES, "other"),
    **dict.fromkeys(TEXT_SUFFIXES, "text"),
    **dict.fromkeys(TABLE_SUFFIXES, "table"),
    **dict.fromkeys(VIDEO_SUFFIXES, "video"),
    **dict.fromkeys(PICTURE_SUFFIXES, "picture"),
}

HEAD_BYTES = 4096
"""Number of bytes at the start of a file that determine its kind."""

# Files of several pictures in a row: their first bytes are those of a picture.
_CHAINED = frozenset({".mjpg", ".mjpeg"})

_PICTURE_STARTS = (
    b"\xff\xd8\xff",  # JPEG
    b"II*\x00",  # TIFF
    b"MM\x00*",
    b"II+\x00",  # BigTIFF
    b"MM\x00+",
    b"\x00\x00\x00\x0cjP  \r\n\x87\n",  # JPEG 2000, in a container and bare
    b"\xff\x4f\xff\x51",
    b"\xff\x0a",  # JPEG XL, bare and in a container
    b"\x00\x00\x00\x0cJXL \r\n\x87\n",
)
_PNM = re.compile(rb"P[1-6][ \t\r\n#]")
_PICTURE_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"avif"})
# Sequences of pictures in the same container: with a still picture among the compatible brands they are one.
_SEQUENCE_BRANDS = frozenset({b"avis", b"hevc", b"hevx", b"msf1"})
_VIDEO_STARTS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG video
    b"OggS",
    b"\x06\x0e\x2b\x34",  # MXF
    b".RMF",
    b"DKIF",  # IVF
    b"YUV4MPEG2",
    b"\x1f\x07\x00",  # DV
)
_MOV_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_TRANSPORT = ((0, 188), (4, 192), (0, 204))  # offset of the first sync byte, and length of a packet
_OTHER_STARTS = (
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"BZh",
    b"7z\xbc\xaf",
    b"Rar!",
    b"%PDF",
    b"\x7fELF",
    b"MZ",
    b"ID3",
)


def suffix(name: str) -> str:
    """Suffix of a file's name, lower case, with its point; empty if there is none."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - a Path for each of a million names takes a minute


def kind_of_name(name: str) -> Kind | None:
    """Kind of a file by its name; ``None`` if the name does not determine it."""
    return _KINDS.get(suffix(name))


def kind_of_bytes(head: bytes) -> Kind | None:
    """Kind of a file by its first bytes; ``None`` if they do not determine it.

    Args:
        head: The first :data:`HEAD_BYTES`, or all that there are.
    """
    if head.startswith(_PICTURE_STARTS) or _PNM.match(head) or _is_bmp(head):
        return "picture"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "video"  # kind_by_content checks whether it has only one frame
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "video" if b"acTL" in head.partition(b"IDAT")[0] else "picture"
    if head[:4] == b"RIFF":
        return "picture" if head[8:12] == b"WEBP" else "video" if head[8:12] == b"AVI " else "other"
    if head[4:8] == b"ftyp":
        return _kind_of_brands(head)
    if head.startswith(_VIDEO_STARTS) or head[4:8] in _MOV_BOXES or _is_transport_stream(head):
        return "video"
    if head.startswith((b"PAR1", b"ARROW1", b"\x89HDF", b"\x93NUMPY", b"MATLAB 5.0")):
        return "table"
    if head.startswith(_OTHER_STARTS):
        return "other"
    return "text" if head and _is_text(head) else None


def kind_by_content(path: Path) -> Kind | None:
    """Kind of a file by its content; a GIF or PNG of a single frame is a picture; ``None`` if unknown.

    Raises:
        MediaError: If there is no such file, or it is a folder, a pipe or a device
            (:func:`fgbench.files.regular_files.first_bytes`).
    """
    head = first_bytes(path, HEAD_BYTES)
    kind = kind_of_bytes(head)
    if kind == "picture" and suffix(path.name) in _CHAINED:
        return "video"
    if kind == "video" and head.startswith((b"GIF8", b"\x89PNG")):
        return "video" if has_several_frames(path) else "picture"
    return kind


def kind_of(path: Path) -> Kind:
    """Kind of a file by its name, or by its content if the name does not determine it.

    Raises:
        MediaError: As :func:`kind_by_content`.
    """
    return kind_of_name(path.name) or kind_by_content(path) or "other"


def is_picture(name: str) -> bool:
    """Return whether a file is a picture by its name, and not hidden."""
    return not name.startswith(".") and suffix(name) in PICTURE_SUFFIXES


def is_video(name: str) -> bool:
    """Return whether a file is a video by its name, and not hidden."""
    return not name.startswith(".") and suffix(name) in VIDEO_SUFFIXES


def is_frame(name: str) -> bool:
    """Return whether a file in a folder of pictures is a frame by its name; GIF files are."""
    return is_picture(name) or (suffix(name) == ".gif" and not name.startswith("."))


def has_several_frames(path: Path) -> bool:
    """Return whether a GIF or PNG file has more than one frame, and times for them.

    FFmpeg takes a GIF whose frames have no times for a single one. False if the header cannot be read.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings(), open_regular(path) as file:
            warnings.simplefilter("ignore")  # Pillow's, of damage and of large pictures
            image = Image.open(file, formats=("GIF", "PNG"))
            has_times = image.format == "PNG" or "duration" in image.info
            return has_times and bool(getattr(image, "is_animated", False))
    except (*DAMAGE, Image.DecompressionBombError):
        return False


def _kind_of_brands(head: bytes) -> Kind:
    """Kind of a file of ISO boxes, by the brands of its first box."""
    length = int.from_bytes(head[:4])
    brands = {head[start : start + 4] for start in (8, *range(16, min(max(length, 16), len(head)), 4))}
    major = head[8:12]
    is_still = major in _PICTURE_BRANDS or (major in _SEQUENCE_BRANDS and brands & _PICTURE_BRANDS)
    return "picture" if is_still else "video"


def _is_bmp(head: bytes) -> bool:
    """``BM``, two reserved zeros and a known header length: the two letters alone begin many texts."""
    header = int.from_bytes(head[14:18], "little")
    return head[:2] == b"BM" and head[6:10] == bytes(4) and header in (12, 16, 40, 52, 56, 64, 108, 124)


def _is_transport_stream(head: bytes) -> bool:
    """Return whether MPEG transport packets follow each other: three sync bytes are no coincidence."""
    return any(head[first : first + 2 * step + 1 : step] == b"GGG" for first, step in _TRANSPORT)


def _is_text(head: bytes) -> bool:
    """Return whether bytes are UTF-8 without control characters; the last letter may be cut off."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) - error.start > 3 or error.reason != "unexpected end of data":
            return False
        text = head[: error.start].decode("utf-8")
    return not any(ord(letter) < 32 and letter not in "\t\n\r\f" for letter in text)
