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
"""How far below a detector's accepted score detections are asked for, so that there are some to look at."""

_NO_VIDEO = {"empty": b"", "text": b"This is no video.\n" * 50, "zeros": bytes(4096)}


def decoder_faults(name: str, module: ModuleType) -> list[str]:
    """What a decoder does not keep to.

    What is no video, and what is not there, is refused by :class:`fgbench.errors.MediaError` when it is
    opened or asked for frames; a digest is a SHA-256 that tells contents apart.

    Args:
        name: Its name.
        module: Its module.
    """
    found = signature_fault(module.open_reader, ["path", "limits"])
    found += signature_fault(module.digest, ["path"])
    if found:
        return found
    with TemporaryDirectory(prefix="fgbench-") as folder:
        for what, content in _NO_VIDEO.items():
            path = Path(folder) / f"{what}.mp4"
            path.write_bytes(content)
            found += _refusal_fault(module, path, f"a file of {what}")
        found += _refusal_fault(module, Path(folder) / "absent.mp4", "an absent file")
        if name not in ("pictures", "pixel_rows"):  # theirs are of a folder and of a row
            paths = [Path(folder) / "text.mp4", Path(folder) / "zeros.mp4"]
            digests = {module.digest(path) for path in paths}
            if len(digests) < len(paths) or any(not re.fullmatch("[0-9a-f]{64}", one) for one in digests):
                found.append(f"digest gives {sorted(digests)} for two files, expected two SHA-256")
    return found


def _refusal_fault(module: ModuleType, path: Path, what: str) -> list[str]:
    def read() -> None:
        with module.open_reader(path, DEFAULT_LIMITS) as reader:
            reader.info  # noqa: B018 - what is wrong may be noticed only here
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
    """What a detector does not keep to.

    It opens, or says that it needs a model file; its numbers make sense; it finds no face in grey noise, and
    what it sees there below its accepted score are boxes in the picture, the surest first.

    Args:
        name: Its name.
        module: Its module.
    """
    try:
        detector = module.open_detector(None)
    except (ConfigError, DependencyError):  # without its model file there is nothing to try
        return []
    found = _number_faults(detector)
    if found:
        return found
    noise = np.random.default_rng(0).integers(96, 160, (_SIDE_PX, _SIDE_PX), dtype=np.uint8)
    picture = np.repeat(noise[..., np.newaxis], 3, axis=2) if detector.uses_colour else noise
    before = picture.copy()
    surest = detector.detect(picture, margin=0.0)
    if any(one.score >= detector.accepted_score for one in surest):
        found.append(f"detect finds {len(surest)} faces in grey noise")
    for detections in (surest, detector.detect(picture, margin=_MARGIN)):
        found += _detection_faults(detections)
    if not np.array_equal(picture, before):
        found.append("detect changes the picture that it was given")
    return list(dict.fromkeys(found))


def _number_faults(detector: Any) -> list[str]:
    found = []
    for name in ("smallest_face_px", "most_px"):
        value = getattr(detector, name)
        if not isinstance(value, int | float) or not value > 0:
            found.append(f"{name} is {value!r}, expected a number above 0")
    if not isinstance(detector.uses_colour, bool):
        found.append(f"uses_colour is {detector.uses_colour!r}, expected True or False")
    if not isinstance(detector.accepted_score, int | float):
        found.append(f"accepted_score is {detector.accepted_score!r}, expected a number")
    scales = tuple(detector.scales)
    if not scales or list(scales) != sorted(set(scales)) or scales[0] <= 0:
        found.append(f"scales are {scales!r}, expected numbers above 0 that ascend")
    return found


def _detection_faults(detections: Any) -> list[str]:
    strange = [one for one in detections if not isinstance(one, Detection)]
    if strange:
        return [
            f"detect gives {type(strange[0]).__name__}, expected lists of fgbench.faces.detection.Detection"
        ]
    found = []
    scores = [one.score for one in detections]
    if scores != sorted(scores, reverse=True):
        found.append("detections are not ordered, the surest first")
    for one in detections:
        box = np.asarray(one.box_xyxy)
        if box.shape != (4,) or box.dtype != np.float32:
            found.append(f"box_xyxy is {box.dtype} of shape {box.shape}, expected float32 of shape (4,)")
        elif not np.isfinite(box).all() or not (box[2:] > box[:2]).all():
            found.append(f"box_xyxy is {box.tolist()}, expected x0 < x1 and y0 < y1")
        elif (box[2:] < 0).any() or (box[:2] > _SIDE_PX).any():
            found.append(f"box_xyxy {box.tolist()} lies outside a picture of {_SIDE_PX} px")
    return found
