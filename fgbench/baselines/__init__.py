"""Baselines: one plugin each, with ``run(manifests, config, ...) -> Path``, the folder of the run."""
