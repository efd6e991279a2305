"""Numbers of the paper's tables, as the paper writes them."""

from __future__ import annotations

ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}
"""Numeral to number."""
