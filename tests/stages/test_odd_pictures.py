"""Pictures as phones, cameras and hostile hands make them, through ``fgbench prepare``: all that can be are
used, and the others are rejects with a reason. No one of them stops the rest."""

import os

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image
from skimage.data import astronaut

from fgbench.config import PrepareConfig
from fgbench.preparation import prepare
from fgbench.storage import read_rows
from tests.support.avif_grid import avif_grid

pytestmark = pytest.mark.slow

SIDE = 320
PIXELS = np.ascontiguousarray(astronaut()[:SIDE, 60 : 60 + SIDE])
PERSON = Image.fromarray(PIXELS)
FACE = (120, 72, 210, 162)  # about where the face is


def grid_heic(path, image=PERSON):
    """A picture in tiles of 128 px, as phones store it."""
    pillow_heif.from_pillow(image).save(path, quality=90, tile_size=128)
    assert b"grid" in path.read_bytes()[:4096]


def claim(data, width, height):
    """A JPEG whose header names another size."""
    start = data.find(b"\xff\xc0")
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return data[: start + 5] + size + data[start + 9 :]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Tables of a data set of odd pictures by name: rows by clip."""
    root = tmp_path_factory.mktemp("odd")
    happy = root / "in" / "happy"
    happy.mkdir(parents=True)
    grid_heic(happy / "phone.heic")
    (happy / "misnamed.jpg").write_bytes((happy / "phone.heic").read_bytes())
    PERSON.save(happy / "old.jfif", "JPEG", quality=95)
    (happy / "jpeg.heic").write_bytes((happy / "old.jfif").read_bytes())
    exif = Image.Exif()
    exif[0x0112] = 6
    PERSON.rotate(90, expand=True).save(happy / "turned.webp", exif=exif, quality=95)
    PERSON.save(happy / "modern.avif", quality=90)
    (happy / "tiles.avif").write_bytes(avif_grid(PERSON, SIDE // 2))
    PERSON.save(happy / "still.gif")
    brighter = [PERSON.point(lambda level, gain=gain: level * gain) for gain in (0.95, 0.9, 0.85)]
    PERSON.save(happy / "moving.gif", save_all=True, append_images=brighter, duration=80)
    PERSON.save(happy / "apng.png", save_all=True, append_images=brighter, duration=80)
    (happy / "gif.jpg").write_bytes((happy / "moving.gif").read_bytes())
    cv2.imwrite(str(happy / "deep.png"), PIXELS[:, :, ::-1].astype(np.uint16) * 257)
    (happy / "bomb.jpg").write_bytes(claim((happy / "old.jfif").read_bytes(), 20000, 20000))
    (happy / "bytes.jpg").write_bytes(b"\x00" * 100)
    for name in ("pipe", "sizes", "trap"):
        (happy / name).mkdir()
        PERSON.save(happy / name / "0001.jpg", quality=95)
    os.mkfifo(happy / "pipe" / "0002.jpg")
    PERSON.resize((2 * SIDE, 2 * SIDE)).save(happy / "sizes" / "0002.jpg", quality=95)
    (happy / "trap" / "0002.jpg").write_bytes((happy / "bomb.jpg").read_bytes())
    config = PrepareConfig.model_validate(
        {
            "name": "odd",
            "dataset": {"adapter": "folder", "name": "odd", "scheme": "free"},
            "buckets": 1,
            "augment": {"balance": "none"},
            "lbp": {"enabled": False},
        }
    )
    prepare.run(config, root / "in", root / "work")
    actual = {}
    for name, key in (("clips", "clip_id"), ("rejects", "id")):
        rows = read_rows(root / "work" / "manifests" / f"{name}.parquet")
        actual[name] = {row[key].removeprefix("happy/"): row for row in rows}
    actual["faces"] = {}
    for path in sorted((root / "work" / "manifests" / "faces").iterdir()):
        for row in read_rows(path):
            actual["faces"].setdefault(row["clip_id"].removeprefix("happy/"), []).append(row)
    return actual


@pytest.mark.parametrize(
    "name", ["phone", "misnamed", "old", "jpeg", "turned", "modern", "tiles", "still", "deep"]
)
def test_the_face_is_where_it_is_in_the_whole_picture(tables, name):
    clip, (face, *_) = tables["clips"][name], tables["faces"][name]
    assert (clip["width"], clip["height"], clip["decoder"], clip["n_frames"]) == (SIDE, SIDE, "pictures", 1)
    assert face["status"] == "ok"
    assert np.allclose(face["box_xyxy"], FACE, atol=25)


def test_formats_are_named_by_their_content(tables):
    assert {name: tables["clips"][name]["codec"] for name in ("phone", "misnamed", "jpeg", "old")} == {
        "phone": "heic",
        "misnamed": "heif",
        "jpeg": "jpeg",
        "old": "jfif",
    }


def test_a_gif_that_moves_is_a_clip(tables):
    clip = tables["clips"]["moving"]
    assert (clip["decoder"], clip["codec"], clip["n_frames"]) == ("pyav", "gif", 4)
    assert {row["status"] for row in tables["faces"]["moving"]} == {"ok"}


@pytest.mark.parametrize("name", ["moving", "apng", "gif"])
def test_what_moves_has_no_key_frame_whatever_its_name(tables, name):
    clip = tables["clips"][name]
    assert (clip["n_frames"], clip["key_frame"]) == (4, None)
    assert {row["frame_index"]: row["offset"] for row in tables["faces"][name]}[2] == 0  # its middle


@pytest.mark.parametrize("name", ["phone", "still", "jpeg"])
def test_a_still_picture_is_its_key_frame(tables, name):
    assert tables["clips"][name]["key_frame"] == 0


def test_pictures_of_a_clip_may_differ_in_size(tables):
    rows = tables["faces"]["sizes"]
    assert [(row["frame_index"], row["status"]) for row in rows] == [(0, "ok"), (1, "ok")]
    assert np.allclose(np.array(rows[1]["box_xyxy"]) / 2, rows[0]["box_xyxy"], atol=8)


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("bomb", "too_large", "20000 x 20000 px"),
        ("trap", "too_large", "0002.jpg is 20000 x 20000 px"),
        ("pipe", "not_a_file", "0002.jpg is a pipe"),
        ("bytes", "unreadable_image", "is not a picture"),
    ],
)
def test_what_cannot_be_used_is_a_reject(tables, name, reason, detail):
    row = tables["rejects"][name]
    assert row["reason"] == reason
    assert detail in row["detail"]
