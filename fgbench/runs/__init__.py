"""Folders of runs: results, predictions, weights, and the samples that a run trains on and tests."""
