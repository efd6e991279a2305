"""Figures of the paper: one plugin each, with `build(workdir) -> Figure`."""
