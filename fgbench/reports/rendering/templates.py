"""HTML from the templates beside this module: values are escaped, except those that a template marks as HTML.

Control characters, and bytes of file names that are not text, become visible escapes. A missing value of a
template is an error.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.printable import printable

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).resolve().parent / "templates"


def fill(name: str, **values: Any) -> str:
    """Fill a template.

    Args:
        name: File in ``templates``.
        values: Values of the names in the template.

    Returns:
        HTML that can be embedded in another template.
    """
    return _environment().get_template(name).render(**values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _visible(value: Any) -> Any:
    is_text = isinstance(value, str) and not hasattr(value, "__html__")
    return printable(value) if is_text else value
