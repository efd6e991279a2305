"""Landmarks of a face in a frame: the mean face, moved and shaken."""

import numpy as np

from fgbench.faces.geometry import apply_transform, mean_face

TURN = np.array([[0.9, -0.2, 40.0], [0.2, 0.9, 30.0]])  # mean face in px of a frame, 300 px large


def landmarks(seed=0, spread=3.0):
    """68 points in a frame: dlib's mean face, moved and shaken."""
    full = np.zeros((68, 2))
    full[17:] = mean_face()
    shaken = np.random.default_rng(seed).normal(0, spread, (68, 2))
    return apply_transform(TURN, full * 300) + shaken
