"""Publications made again from clips, and changed beforehand."""

import pyarrow.parquet as pq

from fgbench import storage
from fgbench.files.hashing import digest_file
from fgbench.publication.rebuild import rebuild
from fgbench.workfolders.sealed_json import read_sealed, write_sealed
from tests.support.plain_data import nothing


def made(out, clips, work, **options):
    return rebuild(out, clips, work, jobs=1, progress=nothing, **options)


def sealed_again(out, change):
    """Change files of a publication, and have its index tell their digests, as a stranger could."""
    change(out)
    index = read_sealed(out / "published.json")
    for name in index["files"]:
        index["files"][name]["sha256"] = digest_file(out / name)
    write_sealed(out / "published.json", index)


def rewritten(path, change):
    table = pq.read_table(path)
    storage.write_table(
        path, type(table).from_pylist([change(row) for row in table.to_pylist()], table.schema)
    )
