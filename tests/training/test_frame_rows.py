"""Frames and flow of clips by their places: in memory or read when asked for, the same bytes."""

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fgbench.errors import ManifestError, MediaError
from fgbench.inputs.clip_frames import HeldRows, ReadRows, open_rows
from fgbench.inputs.clip_set import clip_frames
from tests.support.tiny_clips import FLOW_PX, small_clips

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return small_clips(tmp_path_factory.mktemp("clips"), rest=False)


def names(manifests, kind):
    actual = clip_frames(manifests, flow=True)
    table = actual.frames if kind == "rgb" else actual.pairs
    return [(clip_id, int(number)) for clip_id, numbers in table.items() for number in numbers]


def opened(manifests, kind, side_px, resident_mb, frames=None):
    return open_rows(
        manifests,
        names(manifests, kind) if frames is None else frames,
        kind,
        side_px=side_px,
        device=CPU,
        resident_mb=resident_mb,
        jobs=2,
        progress=lambda name, done, of: None,
    )


def expected(manifests, kind, side_px):
    """Pictures of all rows, read by the test's own code."""
    actual = {}
    if kind == "rgb":
        for row in pq.read_table(manifests / "faces").to_pylist():
            if row["status"] == "ok":
                image = cv2.imdecode(np.frombuffer(row["image"]["bytes"], np.uint8), cv2.IMREAD_COLOR)
                image = cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA)
                actual[row["clip_id"], row["frame_index"]] = image[:, :, ::-1].transpose(2, 0, 1)
    else:
        for row in pq.read_table(manifests / "features" / "optical_flow").to_pylist():
            planes = [cv2.imdecode(np.frombuffer(row[name], np.uint8), 0) for name in "uv"]
            actual[row["clip_id"], row["frame_index"]] = np.stack(planes)
    return [actual[name] for name in names(manifests, kind)]


@pytest.mark.slow
@pytest.mark.parametrize("resident_mb", [1000, 0])
@pytest.mark.parametrize(("kind", "side_px"), [("rgb", 64), ("rgb", 224), ("flow", FLOW_PX)])
def test_rows_are_the_stored_pictures(manifests, kind, side_px, resident_mb):
    rows = opened(manifests, kind, side_px, resident_mb)
    wanted = expected(manifests, kind, side_px)
    assert isinstance(rows, HeldRows if resident_mb else ReadRows)
    assert len(rows) == len(wanted)
    positions = np.random.default_rng(0).integers(0, len(wanted), 40)  # some twice, in no order
    actual = rows.take(positions)
    assert actual.dtype == torch.uint8
    np.testing.assert_array_equal(actual.numpy(), np.stack([wanted[position] for position in positions]))
    assert len(rows.take(np.empty(0, np.int64))) == 0


def test_only_frames_of_the_video_set_and_with_a_face_are_known(manifests):
    actual = clip_frames(manifests, flow=True)
    assert len(actual.clip_ids) == 24
    assert "clip024" not in actual.clip_ids, "no face was found in it"
    assert actual.frames["clip003"].tolist() == list(range(8))
    assert actual.pairs["clip003"].tolist() == list(range(7))
    assert not clip_frames(manifests, flow=False).pairs


def test_an_unknown_frame_is_an_error(manifests):
    with pytest.raises(ManifestError, match=r"1 of 1 samples have no picture"):
        opened(manifests, "flow", 64, 10, [("clip000", 99)])


@pytest.mark.parametrize("resident_mb", [1000, 0])
def test_damaged_flow_is_an_error_that_names_the_frame(manifests, tmp_path, resident_mb):
    table = pq.read_table(manifests / "features" / "optical_flow")
    rows = table.to_pylist()
    rows[5]["v"] = rows[5]["v"][:30]
    path = tmp_path / "features" / "optical_flow" / "0.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    name = (rows[5]["clip_id"], rows[5]["frame_index"])
    with pytest.raises(MediaError, match=f"optical flow of {name[0]}.*not a whole picture"):
        opened(tmp_path, "flow", 64, resident_mb, [name]).take(np.zeros(1, np.int64))


def test_flow_of_another_size_keeps_its_displacements(manifests):
    small = opened(manifests, "flow", FLOW_PX // 2, 100).take(np.arange(6)).float()
    whole = opened(manifests, "flow", FLOW_PX, 100).take(np.arange(6)).float()
    means = torch.nn.functional.avg_pool2d(whole, 2)
    assert (small - means).abs().max() <= 1.0
