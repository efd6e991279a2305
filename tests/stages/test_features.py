"""Stages of features: the numbers that the library calls give, by id, and only when the recipe wants them."""

import cv2
import numpy as np
import pytest
from clip_folders import contents
from video_files import write_clip

from fgbench import prepare
from fgbench.config import LbpConfig, PrepareConfig
from fgbench.config.prepare import DLIB_PADDING
from fgbench.faces.layout import FACE
from fgbench.features.dense_trajectories import dense_trajectories
from fgbench.features.lbp import LbpConfig as OperatorConfig
from fgbench.features.lbp import lbp_histograms
from fgbench.features.optical_flow import encode, flow
from fgbench.images import decode
from fgbench.records import TRAJECTORY_CHANNELS
from fgbench.stages.lbp import operator
from fgbench.storage import read_rows
from fgbench.video import open_video

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
    found = sorted((prepared / "work" / "manifests" / table).iterdir())
    return [row for path in found for row in read_rows(path)]


def test_lbp_of_every_image_copies_included(prepared):
    images = {row["image_id"]: row for row in rows(prepared, "images")}
    found = {row["image_id"]: row["lbp"] for row in rows(prepared, "features/lbp")}
    assert found.keys() == images.keys()
    assert any(row["parent_id"] for row in images.values())
    for name, histogram in found.items():
        grey = cv2.cvtColor(decode(images[name]["image"]["bytes"]), cv2.COLOR_RGB2GRAY)
        # 0.0146 of 96 px.
        expected = lbp_histograms(grey[None], OperatorConfig(radius_px=1.4, rows=8, columns=7))[0]
        np.testing.assert_array_equal(histogram, expected)


@pytest.mark.parametrize(("side", "radius_px"), [(48, 0.7), (112, 1.6), (224, 3.3), (448, 6.5), (1024, 15.0)])
def test_the_radius_is_a_share_of_the_face(side, radius_px):
    """Shan et al. take 2 px of 110; a face of the geometry ``face`` is smaller in its chip than one of
    dlib's."""
    assert operator(LbpConfig(), side).radius_px == radius_px
    smaller = (1 + 2 * DLIB_PADDING) / (1 + 2 * FACE.padding)
    assert abs(radius_px / side - 2 / 110 * smaller) < 0.0013


def test_a_radius_means_the_same_in_a_face_of_another_size():
    """Smooth texture: enlarged twice, its histograms are those it had, but for its rim and interpolation."""
    small = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 255, (112, 112), dtype=np.uint8), (0, 0), 1.0
    )
    small = cv2.normalize(small, None, 0, 255, cv2.NORM_MINMAX)
    large = cv2.resize(small, (224, 224), interpolation=cv2.INTER_CUBIC)
    told = [
        lbp_histograms(image[None], operator(LbpConfig(rows=1, columns=1), len(image)))[0]
        for image in (small, large)
    ]
    fixed = lbp_histograms(large[None], OperatorConfig(radius_px=1.6, rows=1, columns=1))[0]
    assert np.abs(told[1] - told[0]).sum() < 0.5 * np.abs(fixed - told[0]).sum()


def test_dense_trajectories_of_every_clip(prepared):
    found = rows(prepared, "features/dense_trajectories")
    for number in range(3):
        with open_video(prepared / "in" / "videos" / f"c{number}.mp4") as reader:
            frames = [
                cv2.resize(frame.rgb(), (120, 90), interpolation=cv2.INTER_AREA) for frame in reader.frames()
            ]
        expected = dense_trajectories(frames)
        mine = [row for row in found if row["clip_id"] == f"c{number}"]
        assert len(mine) == len(expected.end_frame) > 0
        np.testing.assert_array_equal([row["end_frame"] for row in mine], expected.end_frame)
        for channel in TRAJECTORY_CHANNELS:
            np.testing.assert_array_equal([row[channel] for row in mine], getattr(expected, channel))


def test_optical_flow_between_neighbouring_faces(prepared):
    faces = {(row["clip_id"], row["frame_index"]): row for row in rows(prepared, "faces")}
    found = rows(prepared, "features/optical_flow")
    assert len(found) == 3 * 23

    def grey(key):
        return cv2.resize(
            cv2.cvtColor(decode(faces[key]["image"]["bytes"]), cv2.COLOR_RGB2GRAY),
            (64, 64),
            interpolation=cv2.INTER_AREA,
        )

    for row in found[::7]:
        key = (row["clip_id"], row["frame_index"])
        codes = encode(flow(grey(key), grey((key[0], key[1] + 1))), bound_px=5.0)
        assert row["bound_px"] == 5.0
        for place, name in enumerate("uv"):
            stored = cv2.imdecode(np.frombuffer(row[name], np.uint8), cv2.IMREAD_GRAYSCALE)
            np.testing.assert_array_equal(stored, codes[:, :, place])


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
