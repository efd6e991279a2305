"""Assembly of the page: reads the work folder, gathers the data of each view, packs pictures.

Equal work folders give equal bytes: the page contains neither time nor path of its making.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.reports.page.dataset import ContactSheets, counts_json
from fgbench.reports.page.finished_runs import FolderRuns, find_runs
from fgbench.reports.page.html import assemble
from fgbench.reports.page.leaderboards import boards_json
from fgbench.reports.page.origin import origin_json
from fgbench.reports.page.pairs import BEST, pairs_json
from fgbench.reports.page.rejected import Rejected
from fgbench.reports.page.run import Strips, ask_strips, run_json, summary, units_json
from fgbench.reports.page.sample_counts import Counted, count_runs
from fgbench.reports.page.samples import clip_pictures, read_originals, samples_json, share_samples
from fgbench.reports.page.sheets import COLUMNS, Packed, Sheets
from fgbench.reports.page.votes import votes_json
from fgbench.reports.paper.counts import IMAGE, VIDEO, count_manifests
from fgbench.reports.rendering.table import data_title
from fgbench.runs.ledger.counts import reading_notes
from fgbench.runs.ledger.entries import CLASSES, UNITS
from fgbench.runs.other_programs import outside_title
from fgbench.runs.pseudo_labels import pseudo_title
from fgbench.runs.read_digest import read_digest
from fgbench.taxonomy import basics, leaves
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index


def write_page(workdir: Path, path: Path) -> int:
    """Write the page of a work folder; returns its size in bytes.

    Args:
        workdir: Work folder with manifests; runs as many as there are.
        path: The HTML file.

    Raises:
        ManifestError: If the manifests are missing or damaged, or a further file of a finished run is
            damaged. A run whose result or predictions are damaged is listed, not shown.
        ResourceError: If the file cannot be written.
    """
    page = build_page(workdir).encode("utf-8")
    storage.write_bytes(path, page)
    return len(page)


def build_page(workdir: Path) -> str:
    """Text of the page; see :func:`write_page`."""
    index = read_index(workdir)
    counts = count_manifests(workdir)
    manifests = workdir / MANIFESTS
    folder_runs = find_runs(workdir, dataset=counts.dataset, synthetic=counts.synthetic)
    originals = read_originals(manifests)

    # Pictures are first requested, then read in one go, and have cells only after that.
    sheets = Sheets()
    contacts = ContactSheets(originals, sheets)
    rejected = Rejected(workdir, sheets)
    sets, numbers = share_samples(folder_runs.runs, sheets, clip_pictures(manifests, originals))
    strips = Strips(sheets)
    attended = [ask_strips(run, strips) for run in folder_runs.runs]
    packed = sheets.pack(manifests)
    predictions = [run.predictions for run in folder_runs.runs]
    counted = count_runs(predictions, numbers)

    blocks: dict[str, Any] = {
        "overview": _overview(
            folder_runs,
            counted,
            numbers,
            workdir=workdir,
            counts=counts,
            packed=packed,
            n_sets=len(sets),
        ),
        "dataset": {
            "counts": counts_json(counts),
            "contacts": contacts.json(),
            "rejected": rejected.json(),
        },
        "pairs": pairs_json(predictions, numbers, counted, [run.experiment for run in folder_runs.runs]),
        "origin": origin_json(index, folder_runs, digest=read_digest(workdir, index)),
    }
    if (votes := votes_json(workdir)) is not None:
        blocks["votes"] = votes
    for number, shared in enumerate(sets):
        blocks[f"samples-{number}"] = samples_json(shared, sheets)
    for number, run in enumerate(folder_runs.runs):
        blocks[f"run-{number}"] = run_json(
            run, samples=numbers[number], attention=attended[number], strips=strips
        )
    for number, units in enumerate(folder_runs.units):
        blocks[f"units-{number}"] = units_json(units)
    title = data_title("fgbench report", counts.dataset, synthetic=counts.synthetic)
    pictures = {f"sheet-{number}": base64.b64encode(one.webp).decode() for number, one in enumerate(packed)}
    return assemble(title, blocks, pictures)


def _overview(
    folder_runs: FolderRuns,
    counted: list[Counted],
    samples: Sequence[int],
    *,
    workdir: Path,
    counts: Any,
    packed: list[Packed],
    n_sets: int,
) -> dict[str, Any]:
    """Data that the page needs when it opens."""
    return {
        "dataset": counts.dataset,
        "synthetic": counts.synthetic,
        "totals": {source: counts.total(source) for source in (IMAGE, VIDEO)},
        "copies": counts.total("Augmented Image") - counts.total(IMAGE),
        "n_classes": len({label for _, _, label in counts.counts if label is not None}),
        "tree": [[leaf.name, leaf.basic, leaf.valence] for leaf in leaves()],
        "upper": list(basics()),
        "runs": [summary(run, one) for run, one in zip(folder_runs.runs, counted, strict=True)],
        "readings": _readings(workdir, folder_runs),
        "boards": boards_json(folder_runs.runs, samples, [one.uar for one in counted]),
        "compared_with": BEST,
        "units": [
            {
                "key": run.key,
                "labels": pseudo_title(run.result["details"]) + outside_title(run.result["details"]),
                "synthetic": run.synthetic,
                "state": run.state,
            }
            for run in folder_runs.units
        ],
        "faults": [list(fault) for fault in folder_runs.faults],
        "n_sets": n_sets,
        "columns": COLUMNS,
        "sheets": [[one.side_px, one.n_cells] for one in packed],
    }


def _readings(workdir: Path, folder_runs: FolderRuns) -> list[str]:
    """Sentences on how often the test part was read, for each kind of runs that there are."""
    kinds = ((CLASSES, folder_runs.runs), (UNITS, folder_runs.units))
    return [note for kind, runs in kinds if runs for note in reading_notes(workdir, kind)]
