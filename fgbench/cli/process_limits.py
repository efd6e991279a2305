"""Limits of the process under which no command can work."""

from __future__ import annotations

from fgbench.errors import ResourceError

_LEAST_ADDRESS_SPACE_GB = 4.0
"""Numerical libraries map a few GB, mostly unused, and more on machines with many cores."""


def check_address_space() -> None:
    """Refuse to start where libraries would fail without a clear error, or hang.

    Raises:
        ResourceError: If the address space of the process is limited to less than 4 GB.
    """
    try:
        import resource
    except ImportError:  # not on Windows
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _LEAST_ADDRESS_SPACE_GB * 1e9:
        raise ResourceError(
            f"this process may have {limit / 1e9:.1f} GB of virtual memory, expected at least "
            f"{_LEAST_ADDRESS_SPACE_GB:g}",
            "raise the limit (ulimit -v), or limit what workers take by fgbench prepare --worker-memory",
        )
