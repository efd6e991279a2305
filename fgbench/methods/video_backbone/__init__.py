"""Frozen networks of the user on clips: features of frames, or of windows of frames, and a classifier."""
