"""Recipes of preparation with a part of them changed."""

from __future__ import annotations

from fgbench.config import PrepareConfig


def with_decoder(config: PrepareConfig, decoder: str) -> PrepareConfig:
    """Return a recipe with another decoder.

    Raises:
        ConfigError: If there is no such decoder.
    """
    from fgbench import plugins

    plugins.load("decoders", decoder)
    return config.model_copy(update={"ingest": config.ingest.model_copy(update={"decoder": decoder})})


def without_leaks(config: PrepareConfig) -> PrepareConfig:
    """Return a recipe whose audit drops leaks; what is kept apart follows the division into parts."""
    audit = config.audit.model_copy(update={"drop_leaks": True, "apart": config.split.group_by})
    return config.model_copy(update={"audit": audit})
