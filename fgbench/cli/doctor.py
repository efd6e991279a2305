"""``fgbench doctor``: state of this machine, and what is missing."""

from __future__ import annotations

from fgbench.cli.console import print_json, say_all
from fgbench.cli.options import Json


def doctor(json: Json = False) -> None:
    """Tell versions, decoders, detectors, models, plug-ins, device and disk; exit 9 if one is missing."""
    from fgbench.api.health import doctor as examined

    health = examined()
    if json:
        print_json(health.facts)
    else:
        say_all(health.lines())
    health.check()
