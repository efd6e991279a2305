"""Stages of features: the numbers that the library calls give, by id, and only when the recipe wants them."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from skimage.feature import local_binary_pattern

from fgbench.config import LbpConfig, PrepareConfig
from fgbench.errors import ConfigError
from fgbench.features.dense_trajectories import dense_trajectories
from fgbench.features.lbp import lbp_histograms
from fgbench.features.optical_flow import encode, flow
from fgbench.media.images import decode
from fgbench.media.video import open_video
from fgbench.preparation import prepare
from fgbench.preparation.stages.lbp import radius_of
from fgbench.records import TRAJECTORY_CHANNELS
from fgbench.storage import read_rows
from tests.support.clip_folders import contents
from tests.support.video_files import write_clip

FEATURES = {
    "dense_trajectories": {"enabled": True, "max_side_px": 120},
    "optical_flow": {"enabled": True, "size_px": 64},
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Three clips of moving texture; whole frames stand for faces."""
    here = tmp_path_factory.mktemp("features")
    (here / "in" / "videos").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = ["clip,label,key_frame"]
    for number in range(3):
        texture = cv2.resize(
            rng.integers(0, 255, (60, 80, 3), dtype=np.uint8), (400, 300), interpolation=cv2.INTER_CUBIC
        )
        moving = (texture[3 * k : 3 * k + 120, 4 * k : 4 * k + 160] for k in range(24))
        write_clip(here / "in" / "videos" / f"c{number}.mp4", pictures=moving)
        lines.append(f"c{number}.mp4,anger,12")
    (here / "in" / "annotations.csv").write_text("\n".join(lines) + "\n")
    recipe = {"name": "features", "faces": {"align": "never", "chip_size": 96}, **FEATURES}
    prepare.run(PrepareConfig.model_validate(recipe), here / "in", here / "work")
    return here


def rows(prepared, table):
    actual = sorted((prepared / "work" / "manifests" / table).iterdir())
    return [row for path in actual for row in read_rows(path)]


@pytest.mark.slow
def test_lbp_of_every_image_copies_included(prepared):
    images = {row["image_id"]: row for row in rows(prepared, "images")}
    actual = {row["image_id"]: row["lbp"] for row in rows(prepared, "features/lbp")}
    assert actual.keys() == images.keys()
    assert any(row["parent_id"] for row in images.values())
    for name, histogram in actual.items():
        grey = cv2.cvtColor(decode(images[name]["image"]["bytes"]), cv2.COLOR_RGB2GRAY)
        # Nothing was aligned: all of the picture; 0.018 of 96 px.
        expected = lbp_histograms(grey[None], radius_px=1.7)[0]
        np.testing.assert_array_equal(histogram, expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faces", "area", "radius_px"),
    [
        # Of 1.85 mean faces, 0.25 beside one and 0.25 below it are left, and what lies above it.
        ({"geometry": "face"}, (21, 0, 203, 179), 3.3),
        ({"geometry": "dlib"}, (0, 0, 224, 224), 4.0),
        ({"geometry": "dlib", "padding": 0.5}, (28, 28, 196, 196), 3.0),
        ({"geometry": "face", "landmarks": 5, "chip_size": 112}, (11, 0, 101, 89), 1.6),
    ],
)
def test_the_grid_covers_the_face_in_any_geometry(tmp_path, face_clips, faces, area, radius_px):
    """As much of the face as dlib shows; copies are described like the picture that they come from."""
    (tmp_path / "in" / "anger").mkdir(parents=True)
    clip = tmp_path / "in" / "anger" / "c.mp4"
    clip.write_bytes((face_clips / "single_face.mp4").read_bytes())
    sections = {"sample": {"video": "none", "before": 1, "after": 1}, "split": {"test": 0, "val": 0}}
    recipe = {"name": "lbp", "dataset": {"adapter": "folder"}, "faces": faces, **sections}
    prepare.run(PrepareConfig.model_validate(recipe), tmp_path / "in", tmp_path / "work")
    prepared = tmp_path
    images = {row["image_id"]: row for row in rows(prepared, "images")}
    actual = {row["image_id"]: row["lbp"] for row in rows(prepared, "features/lbp")}
    assert len(actual) == len(images) == 6
    left, top, right, bottom = area
    for name, histogram in actual.items():
        grey = cv2.cvtColor(decode(images[name]["image"]["bytes"]), cv2.COLOR_RGB2GRAY)
        codes = local_binary_pattern(grey, 8, radius_px, "nri_uniform")[top:bottom, left:right]
        cells = [
            np.bincount(codes[y0:y1, x0:x1].astype(int).ravel(), minlength=59) / ((y1 - y0) * (x1 - x0))
            for y0, y1 in pairwise(np.arange(8) * (bottom - top) // 7)
            for x0, x1 in pairwise(np.arange(7) * (right - left) // 6)
        ]
        np.testing.assert_allclose(histogram, np.concatenate(cells), atol=1e-7)


@pytest.mark.slow
def test_all_of_the_picture_is_described_where_the_recipe_says_so(tmp_path, face_clips):
    (tmp_path / "in" / "anger").mkdir(parents=True)
    clip = tmp_path / "in" / "anger" / "c.mp4"
    clip.write_bytes((face_clips / "single_face.mp4").read_bytes())
    sections = {"sample": {"video": "none", "before": 0, "after": 0}, "split": {"test": 0, "val": 0}}
    recipe = {"name": "lbp", "dataset": {"adapter": "folder"}, "lbp": {"margin": None}, **sections}
    prepare.run(PrepareConfig.model_validate(recipe), tmp_path / "in", tmp_path / "work")
    (image, *_), (histogram, *_) = rows(tmp_path, "images"), rows(tmp_path, "features/lbp")
    assert image["image_id"] == histogram["image_id"]
    grey = cv2.cvtColor(decode(image["image"]["bytes"]), cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(histogram["lbp"], lbp_histograms(grey[None], radius_px=4.0)[0])


@pytest.mark.slow
def test_more_cells_than_the_face_has_pixels_is_one_clear_error(tmp_path, face_clips):
    (tmp_path / "in" / "anger").mkdir(parents=True)
    clip = tmp_path / "in" / "anger" / "c.mp4"
    clip.write_bytes((face_clips / "single_face.mp4").read_bytes())
    faces, grid = {"chip_size": 64, "geometry": "dlib", "padding": 2.0}, {"rows": 30, "columns": 6}
    recipe = {"name": "lbp", "dataset": {"adapter": "folder"}, "faces": faces, "lbp": grid}
    with pytest.raises(ConfigError, match=r"30 x 6 cells, and faces are 20 x 20 px") as caught:
        prepare.run(PrepareConfig.model_validate(recipe), tmp_path / "in", tmp_path / "work")
    assert "lbp.margin" in caught.value.hint


@pytest.mark.parametrize(("side", "radius_px"), [(48, 0.9), (112, 2.0), (224, 4.0), (448, 8.1), (1024, 18.4)])
def test_the_radius_is_a_share_of_the_face(side, radius_px):
    """Shan et al. take 2 px of 110."""
    assert radius_of(LbpConfig(), side) == radius_px
    assert abs(radius_px / side - 2 / 110) < 0.0013


def test_a_radius_means_the_same_in_a_face_of_another_size():
    """Smooth texture: enlarged twice, its histograms are those it had, but for its rim and interpolation."""
    small = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 255, (112, 112), dtype=np.uint8), (0, 0), 1.0
    )
    small = cv2.normalize(small, None, 0, 255, cv2.NORM_MINMAX)
    large = cv2.resize(small, (224, 224), interpolation=cv2.INTER_CUBIC)
    whole = LbpConfig(rows=1, columns=1)
    shares = [
        lbp_histograms(image[None], whole, radius_px=radius_of(whole, len(image)))[0]
        for image in (small, large)
    ]
    fixed = lbp_histograms(large[None], whole, radius_px=1.6)[0]
    assert np.abs(shares[1] - shares[0]).sum() < 0.5 * np.abs(fixed - shares[0]).sum()


@pytest.mark.slow
def test_dense_trajectories_of_every_clip(prepared):
    actual = rows(prepared, "features/dense_trajectories")
    for number in range(3):
        with open_video(prepared / "in" / "videos" / f"c{number}.mp4") as reader:
            frames = [
                cv2.resize(frame.rgb(), (120, 90), interpolation=cv2.INTER_AREA) for frame in reader.frames()
            ]
        expected = dense_trajectories(frames)
        mine = [row for row in actual if row["clip_id"] == f"c{number}"]
        assert len(mine) == len(expected.end_frame) > 0
        np.testing.assert_array_equal([row["end_frame"] for row in mine], expected.end_frame)
        for channel in TRAJECTORY_CHANNELS:
            np.testing.assert_array_equal([row[channel] for row in mine], getattr(expected, channel))


@pytest.mark.slow
def test_optical_flow_between_neighbouring_faces(prepared):
    faces = {(row["clip_id"], row["frame_index"]): row for row in rows(prepared, "faces")}
    actual = rows(prepared, "features/optical_flow")
    assert len(actual) == 3 * 23

    def grey(key):
        return cv2.resize(
            cv2.cvtColor(decode(faces[key]["image"]["bytes"]), cv2.COLOR_RGB2GRAY),
            (64, 64),
            interpolation=cv2.INTER_AREA,
        )

    for row in actual[::7]:
        key = (row["clip_id"], row["frame_index"])
        codes = encode(flow(grey(key), grey((key[0], key[1] + 1))), bound_px=5.0)
        assert row["bound_px"] == 5.0
        for index, name in enumerate("uv"):
            stored = cv2.imdecode(np.frombuffer(row[name], np.uint8), cv2.IMREAD_GRAYSCALE)
            np.testing.assert_array_equal(stored, codes[:, :, index])


@pytest.mark.slow
def test_features_that_are_not_wanted_are_not_there_and_change_nothing_else(prepared):
    work = prepared / "other"
    recipe = {"name": "features", "faces": {"align": "never", "chip_size": 96}, "lbp": {"enabled": False}}
    report = prepare.run(PrepareConfig.model_validate(recipe), prepared / "in", work)
    assert {stage.stage for stage in report.stages if stage.done}.isdisjoint(
        {"lbp", "dense_trajectories", "optical_flow"}
    )
    with_features, without = contents(prepared / "work" / "manifests"), contents(work / "manifests")
    assert not [name for name in without if name.startswith("features/")]
    common = {name for name in without if name not in ("index.json", "README.md")}
    assert all(with_features[name] == without[name] for name in common)
