"""Single pictures, faces and videos: alignment, features, networks."""

import subprocess
import sys

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import skimage.data
from PIL import Image

import fgbench
from fgbench.api.faces import as_frame


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "RGBA", "I;16", "turned"])
def test_a_picture_of_pillow_is_taken_as_its_file_is(tmp_path, mode):
    """Of any mode: grey of 16 bits, transparent where the file is, and turned as its EXIF data say."""
    ramp = np.arange(60 * 80 * 3, dtype=np.uint32).reshape(60, 80, 3)
    exif = Image.Exif()
    if mode == "I;16":
        picture = Image.fromarray((ramp[..., 0] * 4).astype(np.uint16))
    else:
        picture = Image.fromarray((ramp % 256).astype(np.uint8)).convert("RGB" if mode == "turned" else mode)
    if mode == "RGBA":
        picture.putalpha(0)
    if mode == "turned":
        exif[0x0112] = 6
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    picture.save(path, exif=exif)
    with Image.open(path) as opened:
        actual = as_frame(opened).rgb()
    np.testing.assert_array_equal(actual, as_frame(path).rgb())
    assert actual.shape == ((80, 60, 3) if mode == "turned" else (60, 80, 3))
    assert (actual == 255).all() == (mode == "RGBA")


@pytest.mark.slow
def test_threads_search_faces_at_the_same_time(tmp_path):
    """In a process of its own, which detectors that share their memory would end."""
    picture = np.full((300, 300, 3), 128, np.uint8)
    picture[40:264, 40:264] = cv2.resize(skimage.data.astronaut()[0:250, 110:360], (224, 224))
    np.save(tmp_path / "face.npy", picture)
    script = (
        "import threading, numpy, fgbench\n"
        f"picture, found = numpy.load({str(tmp_path / 'face.npy')!r}), []\n"
        "alone = fgbench.align(picture).landmarks\n"
        "def search():\n"
        "    found.extend(fgbench.align(picture).landmarks for _ in range(5))\n"
        "threads = [threading.Thread(target=search) for _ in range(6)]\n"
        "for one in threads: one.start()\n"
        "for one in threads: one.join()\n"
        "print(len(found), all(numpy.array_equal(one, alone) for one in found))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "30 True\n"), done.stderr


@pytest.mark.slow
def test_faces_of_a_photograph(tmp_path):
    picture = skimage.data.astronaut()
    face = fgbench.align(picture)
    assert face is not None
    assert face.chip.shape == (224, 224, 3)
    assert face.landmarks.shape == (68, 2)
    x0, y0, x1, y1 = face.box_xyxy
    assert 150 < x0 < x1 < 300
    assert 50 < y0 < y1 < 250
    ends = np.c_[face.landmarks, np.ones(68)] @ face.transform.T  # all landmarks lie within the chip
    assert (ends > 0).all()
    assert (ends < 224).all()
    path = tmp_path / "astronaut.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    np.testing.assert_array_equal(fgbench.align(path).chip, face.chip)
    assert fgbench.align(np.zeros((200, 200), np.uint8)) is None
    two = np.hstack([picture[:, :400], picture[:, :400]])
    assert len(fgbench.align_all(two)) == 2
    assert cv2.imdecode(np.frombuffer(face._repr_png_(), np.uint8), cv2.IMREAD_COLOR).shape == (224, 224, 3)
    with pytest.raises(fgbench.FgbenchError, match=r"shape \(4, 4, 4\) and type float64, expected uint8"):
        fgbench.align(np.zeros((4, 4, 4)))


@pytest.mark.slow
def test_lbp_is_that_of_the_manifests(work):
    """Of a described face; of aligned pictures without a description the grid covers all."""
    faces = work.faces("test", columns=["clip_id", "frame_index", "landmarks", "transform", "status", "role"])
    usable = faces[(faces["status"] == "ok") & faces["role"].isin(["image", "both"])]
    images = work.images("test")
    stored = {
        row["image_id"]: row["lbp"]
        for path in sorted((work.path / "manifests/features/lbp").glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    }
    first = images.table.iloc[0]
    row = usable[
        (usable["clip_id"] == first["clip_id"]) & (usable["frame_index"] == first["frame_index"])
    ].iloc[0]
    known = fgbench.Face(
        chip=images[0],
        landmarks=np.reshape(row["landmarks"], (68, 2)).astype(np.float32),
        transform=np.reshape(row["transform"], (2, 3)).astype(np.float64),
        box_xyxy=np.zeros(4, np.float32),
        score=1.0,
        quality=1.0,
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        status="ok",
        n_faces=1,
    )
    np.testing.assert_array_equal(fgbench.lbp(known), np.array(stored[first["image_id"]], np.float32))
    whole = fgbench.lbp(images[:3])
    assert whole.shape == (3, 42 * 59)
    np.testing.assert_allclose(whole.reshape(3, 42, 59).sum(axis=2), 1, atol=1e-5)
    assert not np.array_equal(whole[0], fgbench.lbp(known))
    with pytest.raises(fgbench.FgbenchError, match="expected grey uint8"):
        fgbench.lbp([np.zeros((224, 224, 3), np.float32)])


def test_lbp_of_what_are_no_faces():
    assert fgbench.lbp([]).shape == (0, 42 * 59)
    with pytest.raises(fgbench.FgbenchError, match="None is among the faces"):
        fgbench.lbp([np.zeros((224, 224), np.uint8), None])
    with pytest.raises(fgbench.FgbenchError, match="None is no face"):
        fgbench.lbp(None)
    with pytest.raises(fgbench.FgbenchError, match=r"'a\.png' is no face"):
        fgbench.lbp("a.png")


def test_probabilities_of_faces_and_of_what_are_none(tmp_path):
    pytest.importorskip("torch")
    from tests.support.tiny_runs import write_tiny_weights

    network = fgbench.load(write_tiny_weights(tmp_path / "tiny.safetensors"), device="cpu")
    chip = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    face = fgbench.Face(
        chip=chip,
        landmarks=np.zeros((68, 2), np.float32),
        transform=np.eye(2, 3),
        box_xyxy=np.zeros(4, np.float32),
        score=1.0,
        quality=1.0,
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        status="ok",
        n_faces=1,
    )
    expected = network.probabilities(chip[None])
    assert expected.shape == (1, 33)
    for given in (chip, face, [face], [chip], np.asfortranarray(chip)):
        assert network.probabilities(given).equals(expected)
    assert network.probabilities([]).shape == (0, 33)
    for given, message in (
        ([face, None], "None is among the faces"),
        ([chip, chip[:9]], "faces of several shapes"),
        (chip[:9], r"faces of shape \(1, 9, 224, 3\)"),
    ):
        with pytest.raises(fgbench.FgbenchError, match=message):
            network.probabilities(given)


@pytest.mark.slow
def test_dense_trajectories_of_a_video_are_those_of_its_frames(work):
    from fgbench.features.dense_trajectories import dense_trajectories
    from fgbench.media.video import open_video

    path = work.path.parents[2] / "drawn" / work.clips["path"][0]
    with pytest.raises(fgbench.FgbenchError, match="longer side of -1 px"):
        fgbench.dense_trajectories(path, max_side_px=-1)
    trajectories = fgbench.dense_trajectories(path)
    with open_video(path) as reader:
        expected = dense_trajectories(frame.rgb() for frame in reader.frames())
    np.testing.assert_array_equal(trajectories.end_frame, expected.end_frame)
    np.testing.assert_array_equal(trajectories.mbhx, expected.mbhx)
