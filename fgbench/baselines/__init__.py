"""Baselines: one plugin each, with ``NEEDS`` (stages of features that have to be enabled) and
``run(config, place, ...) -> Path``, the folder of the run."""
