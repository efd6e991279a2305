"""Adapters: one plugin per data set; see `fgbench.datasets.fg_emotions` for the shape of one.

Adapters of other packages take from here what a data set tells of itself.
"""

from fgbench.datasets._card import WHOLE, Card, Variant

__all__ = ["WHOLE", "Card", "Variant"]
