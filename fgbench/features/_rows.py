"""How the kernels of this package are compiled, and the type of an image row.

A loop that LLVM is to turn into vector instructions works on whole one-dimensional rows, writes one or two of
them and reads few: beyond eight pairs LLVM gives up testing that they do not overlap.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.float32]

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "fastmath": {"contract", "nsz", "nnan", "ninf", "arcp"},
    "error_model": "numpy",
}


def kernel(function: Any) -> Any:
    """Compile with Numba on first use; machine code is kept on disk and runs without the GIL.

    Where neither the package's folder nor the user's cache folder can be written, every process compiles
    anew. Numba notices a change of the file of a kernel, not of the files of the kernels that it calls:
    delete ``__pycache__`` after changing one of those.
    """
    try:
        return nb.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # Numba: "cannot cache function: no locator available"
        return nb.njit(**_OPTIONS)(function)
