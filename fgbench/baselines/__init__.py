"""Baselines: one plugin each, with ``run(workdir, config, *, seed, jobs) -> Path`` (the folder of the run)."""
