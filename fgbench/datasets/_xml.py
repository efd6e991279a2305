"""XML of data sets, parsed so that a file can neither name other files nor grow while it is read.

Reads small XML files. Entities other than XML's own five cannot be declared without a document type, and a
file with one is refused before it is expanded.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from fgbench.errors import DatasetError, MediaError
from fgbench.files.regular_files import read_regular

_MAX_BYTES = 8 << 20


class _Builder(ElementTree.TreeBuilder):
    """Builds elements, and stops at a document type."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Called by the parser before it reads the declarations in a document type."""
        raise ElementTree.ParseError(f"it declares the document type {name!r}, which may name other files")


def read_xml(path: Path) -> ElementTree.Element:
    """Root element of an XML file.

    Raises:
        DatasetError: If it cannot be read, is no file, larger than 8 MiB, or not XML, or has a document type.
    """
    try:
        data = read_regular(path, max_bytes=_MAX_BYTES)
    except MediaError as error:
        raise DatasetError(error.message, "expected a small annotation file") from error
    return parsed_xml(data, path)


def parsed_xml(data: bytes, path: Path, advice: str = "download the file again") -> ElementTree.Element:
    """Root element of XML.

    Args:
        data: The XML.
        path: The file that it is of, for messages.
        advice: What to do with a file that is refused.

    Raises:
        DatasetError: If it is not XML, or has a document type.
    """
    try:
        parser = ElementTree.XMLParser(target=_Builder())
        parser.feed(data)
        root: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, ValueError) as error:  # ValueError: an encoding that expat lacks
        raise DatasetError(f"{path} is refused as XML: {error}", advice) from error
    return root
