"""Codebooks kept in the folder of a run, so that a run that was killed can reuse them.

Writes ``codebook-<channel>.npz`` beside the other files of the run: words, distortion and a fingerprint of
all that they depend on. A file with another fingerprint, or a damaged one, is ignored.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from fgbench.features.bag_of_words import Codebook
from fgbench.storage import write_bytes


def codebook_path(folder: Path, channel: str) -> Path:
    """Return the file of a channel's codebook in the folder of a run."""
    return folder / f"codebook-{channel}.npz"


def save_codebook(path: Path, codebook: Codebook, *, fingerprint: str) -> None:
    """Write a codebook; the file appears when it is complete.

    Args:
        path: The file.
        codebook: The words.
        fingerprint: Digest of all that they depend on.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    data = io.BytesIO()
    np.savez(data, words=codebook.words, distortion=codebook.distortion, fingerprint=fingerprint)
    write_bytes(path, data.getvalue())


def load_codebook(path: Path, *, fingerprint: str) -> Codebook | None:
    """Read a codebook, ``None`` if there is none with this fingerprint."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["fingerprint"]) != fingerprint:
                return None
            words, distortion = kept["words"], float(kept["distortion"])
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile):
        return None
    if words.ndim != 2 or words.dtype != np.float32 or not np.isfinite(words).all():
        return None
    return Codebook(words, distortion)
