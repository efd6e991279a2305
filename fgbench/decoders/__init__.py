"""Decoders: one plugin per backend; see `fgbench.video` for the interface."""
