"""Pictures and clips that are already cropped, aligned where the face in them is found.

Frames are searched like whole pictures, and, if the face is not found that way, once more with a
border of the picture's mean colour around them: detectors miss faces that touch the border. A frame whose
face is not found, or that is ambiguous or turned too far, does not count as found.

A clip is decided as a whole, so that it never is a mixture: it is aligned if the face is found in at least
half of its first :data:`LOOK_FRAMES` frames (of all frames, if fewer; damaged ones do not count).
Then its other frames have a status without a usable face; else all frames are taken as they are.
A still picture is a clip of one frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

import cv2
import numpy as np

from fgbench.config import FacesConfig
from fgbench.faces.clip_faces import ClipObserver
from fgbench.faces.fallback_search import BORDER
from fgbench.faces.locating import Models
from fgbench.faces.observation import Observation, aligned
from fgbench.faces.status import OK
from fgbench.faces.tracking import Observed
from fgbench.media.video import Frame, ImageFrame

LOOK_FRAMES = 32
"""Number of frames that decide whether a clip is aligned; they are held at a time. Ours."""


def observe_cropped(
    frames: Iterable[Frame], options: FacesConfig, models: Models, *, whole: Callable[[Frame], Observation]
) -> Iterator[Observed]:
    """Observe the frames of one clip of cropped faces.

    Args:
        frames: In order; some may be left out. The first :data:`LOOK_FRAMES` are held.
        options: Settings of the stage.
        models: Loaded models.
        whole: Makes the observation of a frame that is taken as it is.

    Yields:
        Every frame once, in order, with its observation.

    Raises:
        ValueError: If the frames are not in order.
    """
    rest = iter(frames)
    first = list(islice(rest, LOOK_FRAMES))
    is_all = len(first) < LOOK_FRAMES
    for border in (0.0, BORDER):
        search = _Search(options, models, border=border)
        observed = [item for frame in first for item in search.feed(frame)]
        if is_all:
            observed += search.finish()
        if _has_faces(first, observed):
            yield from observed
            for frame in rest:
                yield from search.feed(frame)
            yield from search.finish()
            return
    for frame in chain(first, rest):
        yield frame, whole(frame)


def _has_faces(frames: list[Frame], observed: list[Observed]) -> bool:
    """Return whether the face is found in at least half of the frames; undecided ones count as without."""
    intact = sum(not frame.is_corrupt for frame in frames)
    hits = sum(observation.status == OK for _, observation in observed)
    return 0 < intact <= 2 * hits


class _Search:
    """Observes frames with a border as a tracker does; its results are in coordinates of the frames."""

    def __init__(self, options: FacesConfig, models: Models, *, border: float) -> None:
        self._options, self._border = options, border
        self._observer = ClipObserver(options, models)
        self._frames: dict[int, Frame] = {}

    def feed(self, frame: Frame) -> list[Observed]:
        """Take the next frame; return the frames that are decided now."""
        self._frames[frame.index] = frame
        return self._in_frames(self._observer.feed(self._bordered(frame)))

    def finish(self) -> list[Observed]:
        """Decide the frames that still wait."""
        return self._in_frames(self._observer.finish())

    def _width_px(self, frame: Frame) -> int:
        return round(self._border * max(frame.size))

    def _bordered(self, frame: Frame) -> Frame:
        width = self._width_px(frame)
        if not width or frame.is_corrupt:
            return frame
        pixels = frame.rgb()
        colour = [float(value) for value in np.rint(pixels.mean(axis=(0, 1)))]
        larger = cv2.copyMakeBorder(pixels, width, width, width, width, cv2.BORDER_CONSTANT, value=colour)
        return ImageFrame(pixels=np.asarray(larger, np.uint8), index=frame.index, time_s=frame.time_s)

    def _in_frames(self, decided: list[Observed]) -> list[Observed]:
        result = []
        for searched, observation in decided:
            frame = self._frames.pop(searched.index)
            result.append((frame, self._moved(frame, observation)))
        return result

    def _moved(self, frame: Frame, observation: Observation) -> Observation:
        """Move the observation of a bordered frame to coordinates of the frame; adds the chip."""
        if observation.landmarks is not None:
            landmarks = observation.landmarks - np.float32(self._width_px(frame))
            observation = replace(observation, landmarks=landmarks)
        return aligned(frame, observation, self._options)
