"""YuNet: no model file can come with the tests, so OpenCV's part is played by an object that notes its
calls."""

import cv2
import numpy as np
import pytest

from fgbench.errors import ConfigError, DependencyError
from fgbench.faces.detection import open_detector, search_at_scale


class Network:
    def __init__(self, rows):
        self.rows, self.calls = rows, []

    def setInputSize(self, size):  # noqa: N802
        self.calls.append(("size", size))

    def setScoreThreshold(self, score):  # noqa: N802
        self.calls.append(("score", score))

    def detect(self, image):
        assert image.flags["C_CONTIGUOUS"]
        self.calls.append(("pixel", tuple(image[0, 0])))
        return 1, self.rows


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "yunet.onnx"
    path.write_bytes(b"x")
    return path


def opened(monkeypatch, model, rows):
    network = Network(rows)
    arguments = []
    monkeypatch.setattr(cv2, "FaceDetectorYN_create", lambda *args: arguments.append(args) or network)
    return open_detector("yunet", model), network, arguments


def test_rows_become_square_boxes_from_the_brows_to_the_chin(monkeypatch, model):
    rows = np.array(
        [[10, 20, 40, 60, *range(10), 0.7], [100, 50, 30, 30, *range(10), 0.95]], dtype=np.float32
    )
    detector, network, arguments = opened(monkeypatch, model, rows)
    image = np.zeros((120, 160, 3), np.uint8)
    image[0, 0] = (1, 2, 3)
    sure, unsure = detector.detect(image)
    assert arguments[0][0] == str(model)
    assert network.calls == [("size", (160, 120)), ("score", 0.6), ("pixel", (3, 2, 1))]  # BGR
    np.testing.assert_array_equal(sure.box_xyxy, [100, 50, 130, 80])
    np.testing.assert_array_equal(unsure.box_xyxy, [10, 40, 50, 80])
    assert (sure.score, unsure.score) == pytest.approx((0.95, 0.7))


def test_no_face(monkeypatch, model):
    detector, network, _ = opened(monkeypatch, model, None)
    assert search_at_scale(np.zeros((120, 160, 3), np.uint8), detector, scale=0.5, margin=0.2) == []
    assert network.calls[0] == ("size", (80, 60))
    assert network.calls[1][1] == pytest.approx(0.4)


def test_what_is_missing_is_named(monkeypatch, model, tmp_path):
    with pytest.raises(ConfigError, match="needs a model file, got none"):
        open_detector("yunet")
    with pytest.raises(DependencyError, match=r"absent\.onnx of yunet does not exist"):
        open_detector("yunet", tmp_path / "absent.onnx")
    with pytest.raises(DependencyError, match=r"OpenCV cannot read .*yunet\.onnx"):
        open_detector("yunet", model)
    monkeypatch.delattr(cv2, "FaceDetectorYN_create")
    with pytest.raises(DependencyError, match="built without FaceDetectorYN"):
        open_detector("yunet", model)
