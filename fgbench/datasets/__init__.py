"""Adapters: one plugin per data set; see `fgbench.datasets.fg_emotions` for the shape of one.

Adapters of other packages import the types that describe a data set from here.
"""

from fgbench.datasets._card import WHOLE, Card, Variant

__all__ = ["WHOLE", "Card", "Variant"]
