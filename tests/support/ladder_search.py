"""Search of a picture at several scales, one after another."""

from fgbench.faces.detection import search_at_scale


def search_ladder(image, detector, *, scales):
    """Detections at the first scale, in the order given, that has any."""
    return next(filter(None, (search_at_scale(image, detector, scale=scale) for scale in scales)), [])
