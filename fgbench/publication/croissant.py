"""``croissant.json``: the publication in the vocabulary of ML Commons (Croissant 1.0, Responsible AI 1.0).

Each file of a table is a ``FileObject`` with its digest, each table a ``RecordSet`` per file with its
columns: ``faces/test`` are the faces of the test part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fgbench.publication import layout
from fgbench.publication.responsible_ai import UNKNOWN, Facts, responsible_fields

if TYPE_CHECKING:
    import pyarrow as pa

_PARQUET, _TEXTS = "application/x-parquet", {".md": "text/markdown", ".csv": "text/csv", ".yaml": "text/yaml"}

_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "equivalentProperty": "cr:equivalentProperty",
    "repeated": "cr:repeated",
    "samplingRate": "cr:samplingRate",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""Context of the specification: <https://docs.mlcommons.org/croissant/docs/croissant-spec.html>."""


def croissant(
    index: layout.Index,
    files: Mapping[str, Mapping[str, Any]],
    schemas: Mapping[str, pa.Schema],
    facts: Facts,
) -> dict[str, Any]:
    """Return the document.

    Args:
        index: Index of the publication; its files are not read.
        files: Name of each file of the publication to ``sha256`` and ``bytes``.
        schemas: Name of each table among them to its Arrow schema.
        facts: What is known of the data set.
    """
    name = index.dataset + (" (synthetic)" if index.synthetic else "")
    fields = {f"rai:{key}": value for key, value in responsible_fields(facts).items() if value is not None}
    return {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "name": name,
        "description": f"All that fgbench made of the clips of {name}, and no picture of them",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "license": UNKNOWN if facts.card.is_own else facts.card.licence,
        **({} if facts.card.is_own else {"citeAs": facts.card.citation}),
        "keywords": ["facial expression recognition", "fgbench", *(["synthetic"] if index.synthetic else [])],
        **fields,
        "distribution": [_file(name, described) for name, described in sorted(files.items())],
        "recordSet": [_records(name, schema) for name, schema in sorted(schemas.items())],
    }


def _file(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    suffix = "." + name.rpartition(".")[2]
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{described['bytes']} B",
        "encodingFormat": _TEXTS.get(suffix, _PARQUET),
        "sha256": described["sha256"],
    }


def _records(name: str, schema: pa.Schema) -> dict[str, Any]:
    import pyarrow as pa

    table = name.removesuffix(".parquet")
    odd = [column.name for column in schema if pa.types.is_struct(column.type)]
    without = f", without columns that have parts: {', '.join(odd)}" if odd else ""
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": f"Rows of {name}{without}",
        "field": [_field(table, name, column) for column in schema if column.name not in odd],
    }


def _field(table: str, file: str, column: pa.Field) -> dict[str, Any]:
    import pyarrow as pa

    kind, is_list = column.type, pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{column.name}",
        "name": column.name,
        "dataType": _data_type(kind.value_type if is_list else kind),
        **({"repeated": True} if is_list else {}),
        "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
    }


def _data_type(kind: pa.DataType) -> str:
    """Return the type of schema.org."""
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
