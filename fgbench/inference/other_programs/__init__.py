"""Scores of predictions that other programs made, under the protocol of a work folder."""
