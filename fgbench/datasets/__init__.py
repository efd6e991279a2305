"""Adapters: one plugin per data set; see `fgbench.datasets.fg_emotions` for the shape of one."""
