"""Pseudonyms of annotators: keyed hashes of their names, which stay in the root of the data set.

A pseudonym is ``a-`` and the first eight digits of the HMAC-SHA-256 of the name, e.g. ``a-3f9c0d21``. Its key
is the salt, 32 random bytes in ``annotators.salt`` of the root; without it, one that follows from the
recipe's seed and the name of the data set, so that whoever has both and a list of names can tell who is who.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fgbench.config import PrepareConfig
from fgbench.errors import DatasetError, MediaError
from fgbench.files.file_errors import explained
from fgbench.files.regular_files import open_regular
from fgbench.files.temporaries import temporary_name

SALT = "annotators.salt"
"""File of the root of a data set with the salt, as 64 hexadecimal digits."""

Names = Literal["", "names", "salted", "unsalted"]
"""Form of the names of annotators: there are none, names, pseudonyms with a salt, or without one."""

_BYTES, _DIGITS = 32, 8
_HOW = f"python -c 'import secrets; print(secrets.token_hex({_BYTES}))' > {SALT}; chmod 600 {SALT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Rule by which annotators are named in what is written.

    Attributes:
        kind: ``"pseudonyms"`` or ``"names"``.
        seed: Seed of the recipe.
        dataset: Name of the data set.
    """

    kind: Literal["pseudonyms", "names"] = "pseudonyms"
    seed: int = 0
    dataset: str = ""


def naming_of(config: PrepareConfig, dataset: str) -> Naming:
    """The rule of a recipe.

    Args:
        config: The recipe.
        dataset: Name of the data set, which the recipe may leave open.
    """
    return Naming(kind=config.consensus.annotators, seed=config.split.seed, dataset=dataset)


def pseudonyms(annotators: Iterable[str], root: Path, naming: Naming) -> tuple[dict[str, str], Names]:
    """Annotator to the name that is written, and its form.

    Args:
        annotators: Their names.
        root: Root of the data set.
        naming: The rule.

    Raises:
        DatasetError: If two annotators have one pseudonym, or the salt is damaged or cannot be read.
    """
    names = sorted(set(annotators))
    if naming.kind == "names" or not names:
        return {name: name for name in names}, "names" if names else ""
    salt = read_salt(root)
    secret = salt or hashlib.sha256(f"annotators\0{naming.seed}\0{naming.dataset}".encode()).digest()
    written: dict[str, str] = {}
    for name in names:
        digest = hmac.new(secret, name.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
        pseudonym = f"a-{digest[:_DIGITS]}"
        if pseudonym in written:
            raise DatasetError(
                f"two of {len(names):,} annotators have the pseudonym {pseudonym}",
                f"make another salt in {root}: {_HOW}",
            )
        written[pseudonym] = name
    return {name: pseudonym for pseudonym, name in written.items()}, "salted" if salt else "unsalted"


def read_salt(root: Path) -> bytes | None:
    """The salt of a data set, 32 bytes; ``None`` if it has none.

    Raises:
        DatasetError: If the file does not hold 64 hexadecimal digits, or cannot be read.
    """
    path = root / SALT
    if not os.path.lexists(path):
        return None
    try:
        with open_regular(path) as file:
            text = file.read(1024).decode("ascii", "replace").strip()
    except MediaError as error:
        raise DatasetError(error.message, f"expected a file of {2 * _BYTES} hexadecimal digits") from error
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}", "check its permissions") from error
    if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * _BYTES}}}", text):
        raise DatasetError(
            f"{path} is no salt: it does not hold {2 * _BYTES} hexadecimal digits",
            f"bring the file back, or make another, which gives other pseudonyms: {_HOW}",
        )
    return bytes.fromhex(text)


def ensure_salt(root: Path) -> bytes:
    """The salt of a data set, made if there is none: 32 random bytes, which only the owner may read.

    Of several processes that make one at a time, all return the one that stays.

    Args:
        root: Root of the data set.

    Raises:
        DatasetError: If there is one that is damaged or cannot be read.
        ResourceError: If it cannot be written.
    """
    path = root / SALT
    salt = read_salt(root)
    if salt is not None:
        return salt
    temporary = temporary_name(path)
    with explained(path):
        try:
            temporary.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(f"{secrets.token_hex(_BYTES)}\n".encode("ascii"))
            try:
                os.link(temporary, path)
            except FileExistsError:  # another process was faster
                pass
            except OSError:  # a file system without links
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    made = read_salt(root)
    assert made is not None
    return made


def how_named(names: Names) -> str:
    """A sentence for people on the names of annotators; empty if there are none."""
    if names == "names":
        return "Annotators are listed by name (`consensus.annotators: names`)."
    if names == "salted":
        return (
            "Annotators are listed by pseudonyms, keyed hashes of their names; names and key stay with the "
            "votes."
        )
    if names == "unsalted":
        return (
            "**Annotators are listed by pseudonyms that only hide their names from a casual reader**: the "
            "key follows from the recipe's seed and the name of the data set, and who guesses a name can "
            "check it. For pseudonyms that nobody can check, make a salt in the folder of the votes "
            f"(`{_HOW}`) and prepare again."
        )
    return ""
