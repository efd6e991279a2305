"""``fgbench diff``: differences between two data sets, and the runs that become invalid by them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli.console import note, print_json, say
from fgbench.cli.options import Json


def diff(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="Work folder, or folder that fgbench publish has written.")
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    full: Annotated[bool, typer.Option("--full", help="Print all that differs.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="CSV file to write all that differs to.", show_default="none"),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if something differs, as git diff does.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare two prepared data sets: settings, clips, labels, parts, key frames, faces, and runs.

    Landmarks count as moved beyond half a pixel. Runs that were made of the data of one folder are told if
    they do not hold for those of the other. Other versions of packages alone are told and are no difference.
    """
    from fgbench.errors import ConfigError
    from fgbench.publication.difference import difference
    from fgbench.publication.difference_tables import difference_csv, difference_lines
    from fgbench.storage import write_text

    if out is not None and out.suffix != ".csv":
        raise ConfigError(f"--out {out} would be written as CSV", "name a file that ends in .csv")
    if out is not None:
        check_csv(out)
    differences = difference(first, second)
    if out is not None:
        write_text(out, difference_csv(differences))
        note(f"wrote {out}")
    if json:
        print_json(differences.to_json())
    else:
        for line in difference_lines(differences, full=full):
            say(line)
    if exit_code and not differences.is_same:
        raise typer.Exit(1)


def check_csv(path: Path) -> None:
    """Refuse to replace a file that is not such a table.

    Raises:
        ConfigError: If there is one.
    """
    from fgbench.errors import ConfigError, MediaError
    from fgbench.files.regular_files import first_bytes
    from fgbench.publication.difference_tables import HEAD

    if not (path.exists() or path.is_symlink()):
        return
    try:
        is_ours = not path.is_symlink() and first_bytes(path, len(HEAD)) == HEAD.encode("ascii")
    except MediaError:
        is_ours = False
    if not is_ours:
        raise ConfigError(
            f"{path} is there and is no table of fgbench diff, which would replace it; nothing was written",
            "name another file, or move it away",
        )
