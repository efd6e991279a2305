"""Crops that ``backbone`` gives to networks: by five points, whole wider faces, of users' pictures."""

import numpy as np
import pytest
import torch

from fgbench import storage
from fgbench.config import WideFacesConfig
from fgbench.errors import ManifestError
from fgbench.faces.chips import cut_chip
from fgbench.media.images import decode
from fgbench.methods.backbone.crop_source import crop_source
from fgbench.methods.backbone.kept_features import Prepared
from fgbench.methods.backbone.opened import BackboneNetwork
from fgbench.methods.backbone.taken import Taken
from fgbench.methods.insightface.wide_crops import TABLE, load_wide_crops
from fgbench.methods.protocol import FacePosition
from tests.support.wide_work import wide_work

CPU = torch.device("cpu")
pytestmark = pytest.mark.slow


@pytest.fixture
def work(tmp_path):
    return wide_work(tmp_path)


def crops_of(manifests, ids, crop, jobs=1):
    source = crop_source(manifests, ids, crop=crop, jobs=jobs)
    assert len(source) == len(ids)
    found = {}
    for batch in source.batches(epoch=0, seed=0, batch=2, shuffle=False):
        found |= dict(zip(batch.index.tolist(), batch.images, strict=True))
    return torch.stack([found[number] for number in range(len(ids))])


@pytest.mark.parametrize("jobs", [1, 3])
def test_crops_by_five_points_are_those_of_insightface(work, jobs):
    manifests, *_, name = work
    ids = ["copy", name]
    assert torch.equal(crops_of(manifests, ids, "arcface", jobs), load_wide_crops(manifests, ids, device=CPU))


def test_wider_faces_are_whole_and_stored_ones_as_they_are(work):
    manifests, frame, _, transform, name = work
    row = next(iter(storage.read_rows(manifests / TABLE / "00000.parquet")))
    wide = crops_of(manifests, [name], "wide")[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(wide, decode(row["image"]["bytes"]))
    stored = crops_of(manifests, [name], "stored")[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(stored, cut_chip(frame, transform, size=224))


def test_an_image_without_a_wider_face_is_named(work):
    manifests, *_, name = work
    (manifests / TABLE / "00000.parquet").unlink()
    with pytest.raises(ManifestError, match=f"1 images have no wider face .*{name}") as caught:
        crops_of(manifests, [name], "wide")
    assert "input.crop=stored" in caught.value.hint


@pytest.mark.parametrize("crop", ["arcface", "wide"])
def test_the_crop_of_a_picture_is_that_of_the_work_folder(work, crop):
    manifests, frame, points, transform, name = work
    taken = Taken(
        crop=crop,
        size_px=112,
        interpolation="bilinear",
        colours="rgb",
        scale=1.0,
        mean=(127.5,) * 3,
        std=(127.5,) * 3,
    )
    network = BackboneNetwork(
        network=Prepared(frozen=None, taken=taken, batch=8),
        head=None,
        margin=WideFacesConfig().margin,
        trained=None,
        device=CPU,
        labels=None,
    )
    assert network.features == ("wide_faces",)
    assert network.needs_landmarks
    positioned = FacePosition(frame=frame, landmarks=points.astype(np.float32), transform=transform)
    kept = crops_of(manifests, [name], crop)[0].permute(1, 2, 0).numpy().astype(float)
    assert np.abs(network.cut(positioned) - kept).mean() < 3.0  # kept ones are JPEG
    with pytest.raises(ValueError, match="without landmarks"):
        network.cut(FacePosition(frame=frame, landmarks=None, transform=transform))
    with pytest.raises(ValueError, match="0 positions of 1 faces"):
        network.predict_faces(np.zeros((1, 224, 224, 3), np.uint8))
