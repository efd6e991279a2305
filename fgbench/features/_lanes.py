"""Operations on eight neighbouring numbers: in LLVM's vector instructions, or in plain loops.

Plain loops are used if the environment variable ``FGBENCH_PLAIN_KERNELS`` is set, and if the vector
instructions do not compile: they are written in LLVM's own language, whose Python package may change.
"""

from __future__ import annotations

import os
import re
import warnings
from types import ModuleType
from typing import Any

from fgbench.features import _plain

VARIABLE = "FGBENCH_PLAIN_KERNELS"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # in messages of Numba, where colorama is installed


def choose() -> ModuleType:
    """Return the module of the operations that this process uses: ``_simd``, or else ``_plain``."""
    if os.environ.get(VARIABLE):
        return _plain
    try:
        from fgbench.features import _simd

        _simd.try_out()
    except Exception as error:  # any error of Numba, llvmlite or LLVM
        reason = _COLOUR.sub("", str(error))[:200]
        warnings.warn(
            f"vector instructions cannot be compiled here ({type(error).__name__}: {reason}); "
            f"plain loops compute the same, more slowly ({VARIABLE}=1 takes them without trying)",
            RuntimeWarning,
            stacklevel=2,
        )
        return _plain
    return _simd


_operations: Any = choose()
IS_PLAIN = _operations is _plain
"""Whether this process computes in plain loops."""

LANES: int = _operations.LANES
combine = _operations.combine
exchange = _operations.exchange
sum_sixteen = _operations.sum_sixteen
filter_even = _operations.filter_even
filter_both = _operations.filter_both
