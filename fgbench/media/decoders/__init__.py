"""Decoders: one plugin per backend; see `fgbench.media.video` for the interface."""
