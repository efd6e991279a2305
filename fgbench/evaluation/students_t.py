"""Student's t distribution, also of a fractional number of degrees of freedom.

The distribution function is an incomplete beta function (Abramowitz and Stegun, 1964, 26.7.1), computed by
its continued fraction (26.5.8); quantiles are found by halving.
"""

from __future__ import annotations

import math

_STEPS = 300  # of the continued fraction; it converges long before
_HALVINGS = 200
_PRECISE = 1e-15
_TINY = 1e-300


def two_sided_p(t: float, df: float) -> float:
    """Probability of a value at least as far from 0 as ``t``.

    Args:
        t: The value; its sign does not matter.
        df: Degrees of freedom, above 0.

    Raises:
        ValueError: If ``df`` is not above 0.
    """
    if not df > 0:
        raise ValueError(f"{df} degrees of freedom, expected more than 0")
    return 0.0 if math.isinf(t) else _incomplete_beta(df / 2, 0.5, df / (df + t * t))


def two_sided_quantile(level: float, df: float) -> float:
    """The value that is not exceeded in size with a probability of ``level``.

    Args:
        level: Above 0 and below 1, e.g. 0.95.
        df: Degrees of freedom, above 0.

    Raises:
        ValueError: If a number is out of its range.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level {level}, expected more than 0 and less than 1")
    low, high = 0.0, 1.0
    while two_sided_p(high, df) > 1 - level:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if two_sided_p(middle, df) > 1 - level else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function of ``x``, 0 to 1."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(logarithm) * _fraction(a, b, x) / a
    return 1.0 - math.exp(logarithm) * _fraction(b, a, 1.0 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function, after Lentz (1976)."""
    c, d = 1.0, 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _STEPS):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _nonzero(1.0 + step * d)
            c = _nonzero(1.0 + step / c)
            found *= c * d
        if abs(c * d - 1.0) < _PRECISE:
            break
    return found


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
