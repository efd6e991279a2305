"""A still picture in the place of a video frame."""

from fgbench.media.video import ImageFrame

__all__ = ["ImageFrame"]
