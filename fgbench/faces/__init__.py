"""Faces in a clip: detection, tracking, landmarks, pose and the aligned chip."""
