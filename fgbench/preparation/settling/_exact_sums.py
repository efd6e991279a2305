"""Sums in which the order of the terms changes no bit.

A sum of floats depends on its order by a rounding. A model that improves its estimates round by round may
make that a difference of its own: of two labels that have as many reasons, one would be chosen by what clips
and annotators are called. Each term is rounded to a whole multiple of a power of two, and what that leaves to
one of a smaller power, so that sums of either part are exact (as the reproducible sums of Demmel and Nguyen,
2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fgbench.preparation.settling._rule import Floats

_BITS = 51
"""Bits of the whole numbers that are added, of the 53 that a float holds."""


def exact_sums(
    add: Callable[[Floats], Floats],
    terms: Floats,
    n_terms: int,
    *,
    largest: float = 1.0,
    keeps_small: bool = False,
) -> Floats:
    """Sums of terms, each rounded to a multiple of a unit, 2**-51 of the largest sum that may come.

    Args:
        add: Adds terms in any order, each some whole number of times: a sum over an axis, or a product with a
            matrix of counts.
        terms: The terms, float64 of any shape.
        n_terms: Most terms of a sum.
        largest: No term is larger, whatever its sign.
        keeps_small: Whether terms far below the unit count too, which takes twice the time.
    """
    unit = _unit(largest * n_terms)
    part: Floats = np.empty_like(terms)
    _round(terms, unit, part)
    total = add(part)
    if keeps_small:
        np.subtract(terms, part, out=part)
        _round(part, _unit(unit * n_terms), part)
        total += add(part)
    return total


def _unit(most: float) -> float:
    """Power of two of which numbers up to ``most`` are multiples of :data:`_BITS` bits."""
    return math.ldexp(1.0, math.frexp(most)[1] - _BITS)


def _round(terms: Floats, unit: float, into: Floats) -> None:
    """Write terms as multiples of a unit."""
    np.multiply(terms, 1 / unit, out=into)
    np.rint(into, out=into)
    into *= unit
