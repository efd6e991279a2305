"""``fgbench demo``: the whole of fgbench on the embedded synthetic data set."""

from __future__ import annotations

from fgbench.cli import places
from fgbench.cli.baseline_plugins import run_conventional
from fgbench.cli.console import say
from fgbench.cli.options import DEFAULT_JOBS, Jobs
from fgbench.cli.prepare import prepare
from fgbench.cli.report import report
from fgbench.cli.status import check
from fgbench.cli.train import msau


def demo(jobs: Jobs = DEFAULT_JOBS) -> None:
    """Draw the embedded data set, prepare and check it, run a baseline, train MSAU-Net, write the report."""
    prepare(jobs=jobs)
    check()
    run_conventional("lbp-svm", jobs=jobs)
    msau(jobs=jobs)
    report(everything=True, formats=["md", "csv", "png"])
    report(html=True)
    say(f"report: {places.DEMO_WORKDIR / 'reports'} (synthetic data; says nothing of real faces)")
