"""A still picture in place of a video frame."""

from fgbench.media.video import ImageFrame

__all__ = ["ImageFrame"]
