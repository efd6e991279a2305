"""Files that appear whole or not at all: atomic writes, streamed Parquet tables, links, locks.

Every file is written under a temporary name in its own folder and renamed when complete, so that a process
killed at any instant leaves either the old file or the new one. A file that is a link is replaced, its target
left alone; nothing is written or deleted through links of the last name of a path.
"""

from fgbench.files.file_errors import explained, readable
from fgbench.storage.json_files import MAX_JSON_BYTES, read_json, write_json
from fgbench.storage.links import link
from fgbench.storage.locks import OF_LOCKS, excludes_others, exclusive, force_unlock, held, taken
from fgbench.storage.removal import remove_listed
from fgbench.storage.tables import (
    AGAIN,
    ROWS_PER_GROUP,
    TableWriter,
    open_table,
    parquet_explained,
    read_rows,
    read_table,
    write_table,
)
from fgbench.storage.whole_files import write_bytes, write_text, written

__all__ = [
    "AGAIN",
    "MAX_JSON_BYTES",
    "OF_LOCKS",
    "ROWS_PER_GROUP",
    "TableWriter",
    "excludes_others",
    "exclusive",
    "explained",
    "force_unlock",
    "held",
    "link",
    "open_table",
    "parquet_explained",
    "read_json",
    "read_rows",
    "read_table",
    "readable",
    "remove_listed",
    "taken",
    "write_bytes",
    "write_json",
    "write_table",
    "write_text",
    "written",
]
