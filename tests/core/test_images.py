"""Picture files of any format, depth and colour become upright 8-bit sRGB."""

import contextlib

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin
from skimage.data import astronaut

from fgbench.errors import MediaError
from fgbench.media.images import encode, read_image, read_picture

SMALL = cv2.resize(astronaut(), (160, 120), interpolation=cv2.INTER_AREA)
GREY = cv2.cvtColor(SMALL, cv2.COLOR_RGB2GRAY)
GREY3 = np.repeat(GREY[:, :, None], 3, axis=2)
PHOTO = Image.fromarray(SMALL)
ALPHA = np.full(GREY.shape, 255, np.uint8)
ALPHA[:40] = 0
ON_WHITE = SMALL.copy()
ON_WHITE[:40] = 255
LOSSY = 6.0  # mean error in grey levels that compression may make


def error(path, expected):
    pixels = read_image(path)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.shape == expected.shape
    return float(np.abs(pixels.astype(int) - expected).mean())


def refusal(path, **kwargs):
    with pytest.raises(MediaError) as caught:
        read_image(path, **kwargs)
    return caught.value.reason, caught.value.message


def with_alpha():
    image = PHOTO.convert("RGBA")
    image.putalpha(Image.fromarray(ALPHA))
    return image


@pytest.mark.parametrize("name", ["a.bmp", "a.tiff", "a.ppm", "a.png", "a.tga", "a.dib"])
def test_formats_without_loss(tmp_path, name):
    PHOTO.save(tmp_path / name)
    assert error(tmp_path / name, SMALL) == 0


@pytest.mark.parametrize("suffix", ["webp", "jp2", "avif", "jfif", "jpe", "mpo"])
def test_formats_with_loss(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    more = {"save_all": True, "append_images": [ImageOps.mirror(PHOTO)]} if suffix == "mpo" else {}
    PHOTO.save(path, **more)
    assert error(path, SMALL) < LOSSY


@pytest.mark.parametrize(("suffix", "options"), [(".jpg", {"quality": 90}), (".png", {})])
@pytest.mark.parametrize("picture", [SMALL, GREY], ids=["colour", "grey"])
def test_plain_files_have_the_pixels_of_opencv(tmp_path, suffix, options, picture):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(picture).save(path, **options)
    assert np.array_equal(read_image(path), cv2.imread(str(path))[:, :, ::-1])


def test_progressive_jpeg(tmp_path):
    PHOTO.save(tmp_path / "a.jpg", progressive=True)
    assert error(tmp_path / "a.jpg", SMALL) < LOSSY


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.pgm"])
def test_sixteen_bits_of_grey_are_scaled(tmp_path, name):
    cv2.imwrite(str(tmp_path / name), GREY.astype(np.uint16) * 257)
    assert error(tmp_path / name, GREY3) == 0


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
def test_sixteen_bits_of_colour_are_scaled(tmp_path, name):
    cv2.imwrite(str(tmp_path / name), SMALL[:, :, ::-1].astype(np.uint16) * 257)
    assert error(tmp_path / name, SMALL) == 0


def test_floats_from_0_to_1_are_scaled(tmp_path):
    Image.fromarray(GREY.astype(np.float32) / 255).save(tmp_path / "a.tiff")
    assert error(tmp_path / "a.tiff", GREY3) == 0


@pytest.mark.parametrize("values", [GREY.astype(np.float32), np.full((4, 4), np.nan, np.float32)])
def test_floats_of_another_range_are_refused(tmp_path, values):
    Image.fromarray(values).save(tmp_path / "a.tiff")
    reason, message = refusal(tmp_path / "a.tiff")
    assert reason == "unsupported_pixels"
    assert "expected 0 to 1" in message


def test_whole_numbers_of_32_bits_are_refused_above_16(tmp_path):
    Image.fromarray(GREY.astype(np.int32) * 257).save(tmp_path / "a.tiff")
    assert error(tmp_path / "a.tiff", GREY3) == 0
    Image.fromarray(GREY.astype(np.int32) << 20).save(tmp_path / "b.tiff")
    assert refusal(tmp_path / "b.tiff")[0] == "unsupported_pixels"


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.webp", "a.avif", "a.tga"])
def test_what_is_transparent_is_white(tmp_path, name):
    options = {"webp": {"lossless": True}, "avif": {"quality": 95}}.get(name[2:], {})
    with_alpha().save(tmp_path / name, **options)
    assert error(tmp_path / name, ON_WHITE) < (LOSSY if name == "a.avif" else 0.01)


def test_grey_and_palette_with_transparency_are_on_white(tmp_path):
    grey = PHOTO.convert("L").convert("LA")
    grey.putalpha(Image.fromarray(ALPHA))
    grey.save(tmp_path / "a.png")
    expected = np.array(PHOTO.convert("L"))
    expected[:40] = 255
    assert error(tmp_path / "a.png", np.repeat(expected[:, :, None], 3, axis=2)) == 0
    indices = np.zeros((8, 8), np.uint8)
    indices[4:] = 1
    palette = Image.fromarray(indices, "P")
    palette.putpalette([200, 10, 10, 10, 20, 30])
    palette.save(tmp_path / "p.png", transparency=0)
    pixels = read_image(tmp_path / "p.png")
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[7, 7].tolist() == [10, 20, 30]


def test_one_bit_and_palettes(tmp_path):
    PHOTO.convert("1").save(tmp_path / "a.png")
    assert set(np.unique(read_image(tmp_path / "a.png"))) == {0, 255}
    few = PHOTO.convert("P", palette=Image.Palette.ADAPTIVE)
    for name in ("p.png", "p.gif", "p.bmp"):
        few.save(tmp_path / name)
        assert error(tmp_path / name, np.array(few.convert("RGB"))) == 0


def test_cmyk_of_adobe_is_not_inverted(tmp_path):
    """Pillow writes Adobe's inverted CMYK; its inks are read back as they were."""
    PHOTO.convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert error(tmp_path / "a.jpg", SMALL) < LOSSY
    PHOTO.convert("CMYK").save(tmp_path / "a.tiff")
    assert error(tmp_path / "a.tiff", SMALL) == 0


def test_ycck_is_read(tmp_path):
    """The marker of Adobe says by its last byte that the inks are stored as YCCK."""
    path = tmp_path / "a.jpg"
    PHOTO.convert("CMYK").save(path, quality=95)
    data = bytearray(path.read_bytes())
    position = data.find(b"Adobe") + 11
    data[position] = 2
    path.write_bytes(data)
    assert read_image(path).shape == SMALL.shape


def wide_profile():
    """ICC profile whose red and green are exchanged: what it does cannot be missed."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for index in range(132, 132 + 12 * int.from_bytes(profile[128:132]), 12):
        tag = bytes(profile[index : index + 4])
        profile[index : index + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(tag, tag)
    description = profile.find("sRGB".encode("utf-16-be"))
    profile[description : description + 8] = "swap".encode("utf-16-be")
    return bytes(profile)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "webp", "avif"])
def test_colour_profiles_are_applied(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    PHOTO.save(path, icc_profile=wide_profile(), quality=95)
    assert error(path, SMALL[:, :, [1, 0, 2]]) < LOSSY


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("what", ["sRGB", "damaged", "of CMYK"])
def test_profiles_that_change_nothing(tmp_path, suffix, what):
    profile = {
        "sRGB": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "damaged": wide_profile()[:140],
        "of CMYK": wide_profile()[:16] + b"CMYK" + wide_profile()[20:],
    }[what]
    path = tmp_path / f"a.{suffix}"
    PHOTO.save(path, icc_profile=profile)
    assert np.array_equal(read_image(path), cv2.imread(str(path))[:, :, ::-1])


def exif(orientation):
    actual = Image.Exif()
    actual[0x0112] = orientation
    return actual


UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "tiff", "webp", "png", "avif", "mpo"])
def test_orientation_is_applied_once(tmp_path, suffix, orientation):
    path = tmp_path / f"a.{suffix}"
    more = {"save_all": True, "append_images": [PHOTO]} if suffix == "mpo" else {}
    PHOTO.save(path, exif=exif(orientation), quality=95, **more)
    assert error(path, np.ascontiguousarray(UPRIGHT[orientation](SMALL))) < LOSSY


@pytest.mark.parametrize(
    "orientation", [6, *(pytest.param(one, marks=pytest.mark.slow) for one in (1, 2, 3, 4, 5, 7, 8))]
)
def test_orientation_of_heif_is_applied_once(tmp_path, orientation):
    """The encoder makes HEIF's own ``irot`` and ``imir`` of EXIF's number, which stays."""
    pillow_heif.from_pillow(PHOTO).save(tmp_path / "a.heic", quality=90, exif=exif(orientation).tobytes())
    assert error(tmp_path / "a.heic", np.ascontiguousarray(UPRIGHT[orientation](SMALL))) < LOSSY


def jpeg():
    return encode(SMALL, "jpeg", 90)


@pytest.mark.parametrize(
    ("damage", "suffix"), [("cut", "jpg"), ("cut", "png"), ("cut", "webp"), ("cut", "tiff"), ("cut", "heic")]
)
def test_damage(tmp_path, damage, suffix):
    path = tmp_path / f"a.{suffix}"
    if suffix == "heic":
        pillow_heif.from_pillow(PHOTO).save(path)
    else:
        PHOTO.save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert refusal(path)[0] in ("truncated", "unreadable_image")


def test_flipped_bytes_give_a_picture_or_a_refusal(tmp_path):
    rng = np.random.default_rng(7)
    made = {"jpg": {}, "png": {}, "webp": {}, "tiff": {}, "gif": {}, "avif": {}, "bmp": {}, "jp2": {}}
    for suffix in made:
        PHOTO.resize((40, 30)).save(tmp_path / f"whole.{suffix}")
        data = (tmp_path / f"whole.{suffix}").read_bytes()
        path = tmp_path / f"a.{suffix}"
        for _ in range(25):
            changed = bytearray(data)
            for index in rng.integers(0, min(len(data), 400), 4):
                changed[index] = rng.integers(0, 256)
            path.write_bytes(changed)
            with contextlib.suppress(MediaError):
                assert read_image(path).ndim == 3


def test_animated_pictures_are_refused(tmp_path):
    for suffix in ("webp", "avif", "gif", "png"):
        path = tmp_path / f"a.{suffix}"
        PHOTO.save(path, save_all=True, append_images=[ImageOps.mirror(PHOTO)], duration=100)
        reason, message = refusal(path)
        assert reason == "animated_picture"
        assert "has several frames" in message


def test_pages_of_their_own_are_refused(tmp_path):
    PHOTO.save(tmp_path / "a.tiff", save_all=True, append_images=[ImageOps.mirror(PHOTO)])
    reason, message = refusal(tmp_path / "a.tiff")
    assert reason == "several_pages"
    assert "has several pages" in message


def test_thumbnails_levels_and_masks_of_a_picture_are_passed_over(tmp_path):
    PHOTO.save(tmp_path / "small.tiff", save_all=True, append_images=[PHOTO.resize((40, 30))])
    assert error(tmp_path / "small.tiff", SMALL) == 0
    for number in (1, 4):  # NewSubfileType: a reduced picture, a mask
        page = ImageOps.mirror(PHOTO)
        page.encoderinfo = {"tiffinfo": TiffImagePlugin.ImageFileDirectory_v2()}
        page.encoderinfo["tiffinfo"][254] = number
        PHOTO.save(tmp_path / "part.tiff", save_all=True, append_images=[page])
        assert error(tmp_path / "part.tiff", SMALL) == 0


def test_formats_tell_themselves_whatever_the_name(tmp_path):
    pillow_heif.from_pillow(PHOTO).save(tmp_path / "a.heic", quality=90)
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.heic").read_bytes())
    assert read_picture(tmp_path / "b.jpg").format == "HEIF"
    (tmp_path / "c.heic").write_bytes(jpeg())
    assert read_picture(tmp_path / "c.heic").format == "JPEG"
    assert error(tmp_path / "b.jpg", SMALL) < LOSSY


def test_postscript_is_not_run(tmp_path):
    (tmp_path / "a.jpg").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nquit\n"
    )
    assert refusal(tmp_path / "a.jpg")[0] == "unreadable_image"


@pytest.mark.slow
def test_pixels_of_heif_with_ten_bits_and_alpha(tmp_path):
    deep = np.ascontiguousarray(SMALL.astype(np.uint16) << 8)
    pillow_heif.from_bytes("RGB;16", (160, 120), deep.tobytes()).save(tmp_path / "a.heic", quality=90)
    assert error(tmp_path / "a.heic", SMALL) < LOSSY
    pillow_heif.from_pillow(with_alpha()).save(tmp_path / "b.heic", quality=90)
    assert error(tmp_path / "b.heic", ON_WHITE) < LOSSY


@pytest.mark.parametrize("start", [b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n"])
def test_jpeg_xl_is_named(tmp_path, start):
    (tmp_path / "a.jxl").write_bytes(start + bytes(40))
    reason, message = refusal(tmp_path / "a.jxl")
    assert reason == "unsupported_format"
    assert "JPEG XL" in message
