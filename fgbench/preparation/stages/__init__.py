"""Stages of `fgbench prepare`: one file each, in the order of `fgbench.preparation.pipeline.ORDER`."""
