"""Folders of runs: results, predictions, weights, with the samples that a run trains on or tests."""
