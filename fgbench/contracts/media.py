"""The contracts of decoders and of detectors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np

from fgbench.contracts.signatures import signature_fault
from fgbench.errors import ConfigError, DependencyError, MediaError
from fgbench.faces.detection import Detection
from fgbench.media.video import DEFAULT_LIMITS

_SIDE_PX = 160
_MARGIN = 1.0
"""Amount below a detector's accepted score at which detections are requested, to have some to check."""

_NO_VIDEO = {"empty": b"", "text": b"This is no video.\n" * 50, "zeros": bytes(4096)}


def decoder_faults(name: str, module: ModuleType) -> list[str]:
    """Violations of the contract by a decoder.

    A file that is no video, or does not exist, has to be refused by :class:`fgbench.errors.MediaError` when
    it is opened or asked for frames; a digest is a SHA-256 that distinguishes contents.

    Args:
        name: Its name.
        module: Its module.
    """
    faults = signature_fault(module.open_reader, ["path", "limits"])
    faults += signature_fault(module.digest, ["path"])
    if faults:
        return faults
    with TemporaryDirectory(prefix="fgbench-") as folder:
        for what, content in _NO_VIDEO.items():
            path = Path(folder) / f"{what}.mp4"
            path.write_bytes(content)
            faults += _refusal_fault(module, path, f"a file of {what}")
        faults += _refusal_fault(module, Path(folder) / "absent.mp4", "an absent file")
        if name not in ("pictures", "pixel_rows"):  # their digests are of a folder and of a row
            paths = [Path(folder) / "text.mp4", Path(folder) / "zeros.mp4"]
            digests = {module.digest(path) for path in paths}
            if len(digests) < len(paths) or any(not re.fullmatch("[0-9a-f]{64}", one) for one in digests):
                faults.append(f"digest gives {sorted(digests)} for two files, expected two SHA-256")
    return faults


def _refusal_fault(module: ModuleType, path: Path, what: str) -> list[str]:
    def read() -> None:
        with module.open_reader(path, DEFAULT_LIMITS) as reader:
            reader.info  # noqa: B018 - a fault may be noticed only here
            for _ in reader.frames():
                pass

    return _raises(read, MediaError, what)


def _raises(function: Callable[[], object], wanted: type[Exception], what: str) -> list[str]:
    try:
        function()
    except wanted:
        return []
    except Exception as error:
        return [f"{what} raises {type(error).__name__} ({error}), expected {wanted.__name__}"]
    return [f"{what} is read, expected {wanted.__name__}"]


def detector_faults(name: str, module: ModuleType) -> list[str]:
    """Violations of the contract by a detector.

    It has to open, or ask for a model file; its numbers have to make sense; it finds no face in grey noise,
    and its detections there below its accepted score are boxes in the picture, the most certain first.

    Args:
        name: Its name.
        module: Its module.
    """
    try:
        detector = module.open_detector(None)
    except (ConfigError, DependencyError):  # without its model file there is nothing to try
        return []
    faults = _number_faults(detector)
    if faults:
        return faults
    noise = np.random.default_rng(0).integers(96, 160, (_SIDE_PX, _SIDE_PX), dtype=np.uint8)
    picture = np.repeat(noise[..., np.newaxis], 3, axis=2) if detector.uses_colour else noise
    before = picture.copy()
    surest = detector.detect(picture, margin=0.0)
    if any(one.score >= detector.accepted_score for one in surest):
        faults.append(f"detect finds {len(surest)} faces in grey noise")
    for detections in (surest, detector.detect(picture, margin=_MARGIN)):
        faults += _detection_faults(detections)
    if not np.array_equal(picture, before):
        faults.append("detect changes the picture that it was given")
    return list(dict.fromkeys(faults))


def _number_faults(detector: Any) -> list[str]:
    faults = []
    for name in ("smallest_face_px", "most_px"):
        value = getattr(detector, name)
        if not isinstance(value, int | float) or not value > 0:
            faults.append(f"{name} is {value!r}, expected a number above 0")
    if not isinstance(detector.uses_colour, bool):
        faults.append(f"uses_colour is {detector.uses_colour!r}, expected True or False")
    if not isinstance(detector.accepted_score, int | float):
        faults.append(f"accepted_score is {detector.accepted_score!r}, expected a number")
    scales = tuple(detector.scales)
    if not scales or list(scales) != sorted(set(scales)) or scales[0] <= 0:
        faults.append(f"scales are {scales!r}, expected numbers above 0 that ascend")
    return faults


def _detection_faults(detections: Any) -> list[str]:
    strange = [one for one in detections if not isinstance(one, Detection)]
    if strange:
        return [
            f"detect gives {type(strange[0]).__name__}, expected lists of fgbench.faces.detection.Detection"
        ]
    faults = []
    scores = [one.score for one in detections]
    if scores != sorted(scores, reverse=True):
        faults.append("detections are not ordered, the surest first")
    for one in detections:
        box = np.asarray(one.box_xyxy)
        if box.shape != (4,) or box.dtype != np.float32:
            faults.append(f"box_xyxy is {box.dtype} of shape {box.shape}, expected float32 of shape (4,)")
        elif not np.isfinite(box).all() or not (box[2:] > box[:2]).all():
            faults.append(f"box_xyxy is {box.tolist()}, expected x0 < x1 and y0 < y1")
        elif (box[2:] < 0).any() or (box[:2] > _SIDE_PX).any():
            faults.append(f"box_xyxy {box.tolist()} lies outside a picture of {_SIDE_PX} px")
    return faults
