"""Tables of the benchmarks, from the file that ``make bench`` wrote."""

from __future__ import annotations

from pathlib import Path

RESULTS = Path(__file__).parents[2] / "tests" / "performance" / "RESULTS.md"


def coverage() -> str:
    """How often intervals cover the truth, and how often tests tell equally good runs apart."""
    _, _, rest = RESULTS.read_text(encoding="utf-8").partition("\n## coverage\n")
    section, _, _ = rest.partition("\n## ")
    return "\n".join(line for line in section.strip().splitlines() if not line.startswith("(")).strip() + "\n"
