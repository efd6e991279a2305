"""Evaluation: metrics, protocols, results on disk, significance."""
