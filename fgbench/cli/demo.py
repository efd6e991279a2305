"""``fgbench demo``: all steps on the embedded synthetic data set."""

from __future__ import annotations

from fgbench.cli.baseline_plugins import run_plugin
from fgbench.cli.console import say
from fgbench.cli.options import DEFAULT_JOBS, BaselineOptions, Full, Jobs, RunOptions
from fgbench.cli.prepare import prepare
from fgbench.cli.report import report
from fgbench.cli.status import check
from fgbench.cli.train import msau
from fgbench.errors import DependencyError
from fgbench.workfolders import default_folders


def demo(jobs: Jobs = DEFAULT_JOBS, full: Full = False) -> None:
    """Draw the embedded data set, prepare and check it, run a baseline, train MSAU-Net, write the report."""
    from fgbench.api.needed_packages import require_torch

    try:
        require_torch()
    except DependencyError as error:
        raise DependencyError(
            f"{error.message}, and the demo trains one; nothing was begun",
            f"{error.hint}; or do without: fgbench prepare, fgbench baseline lbp-svm, fgbench report",
        ) from error
    prepare(jobs=jobs)
    check()
    run_plugin("lbp-svm", BaselineOptions(jobs=jobs, full=full))
    msau(run=RunOptions(jobs=jobs, full=full))
    report(everything=True, formats=["md", "csv", "png"], full=full)
    report(html=True)
    say(f"report: {default_folders.DEMO_WORKDIR / 'reports'} (synthetic data; says nothing of real faces)")
