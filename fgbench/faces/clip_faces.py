"""Faces of all frames of a clip: tracked, rated, smoothed, aligned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fgbench.config import FacesConfig
from fgbench.faces.locating import Models
from fgbench.faces.observation import aligned
from fgbench.faces.quality import Judge
from fgbench.faces.smoothing import Smoother
from fgbench.faces.tracking import FaceTracker, Observed
from fgbench.media.video import Frame


class ClipObserver:
    """Observes the frames of one clip, given in order; everything but their alignment.

    Up to ``search_every`` frames wait at a time, and two more, for their quality and for the next frame.

    Args:
        options: Settings of the stage.
        models: Loaded models, to share them between clips; ``None`` loads them.
    """

    def __init__(self, options: FacesConfig, models: Models | None = None) -> None:
        self._tracker = FaceTracker(options, models)
        self._judge = Judge(options.min_quality)
        self._smoother = Smoother(is_on=options.smooth)

    def feed(self, frame: Frame) -> list[Observed]:
        """Take the next frame; return the frames that are decided now, in order.

        Raises:
            ValueError: If the frame does not come after the previous one.
        """
        return self._smoother.feed(self._judge.feed(self._tracker.feed(frame)))

    def finish(self) -> list[Observed]:
        """Decide the frames that still wait, in order."""
        judged = [*self._judge.feed(self._tracker.finish()), *self._judge.finish()]
        return [*self._smoother.feed(judged), *self._smoother.finish()]


def observe_clip(
    frames: Iterable[Frame], options: FacesConfig | None = None, models: Models | None = None
) -> Iterator[Observed]:
    """Observe the frames of one clip.

    Args:
        frames: In order; some may be left out. Up to ``search_every`` of them are held at a time, and two
            more.
        options: Settings of the stage.
        models: Loaded models, to share them between clips; ``None`` loads them.

    Yields:
        Every frame once, in order, with its observation.

    Raises:
        ValueError: If the frames are not in order.
    """
    options = options or FacesConfig()
    observer = ClipObserver(options, models)
    for frame in frames:
        for decided, observation in observer.feed(frame):
            yield decided, aligned(decided, observation, options)
    for decided, observation in observer.finish():
        yield decided, aligned(decided, observation, options)
