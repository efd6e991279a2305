"""Places of runs whose manifests lie elsewhere."""

from fgbench.runs.context import RunContext


def run_context(manifests, workdir):
    """A work folder with manifests of another folder."""
    workdir.mkdir(parents=True, exist_ok=True)
    linked = workdir / "manifests"
    linked.unlink(missing_ok=True)
    linked.symlink_to(manifests, target_is_directory=True)
    return RunContext(
        workdir=workdir,
        manifest_digest="d",
        details={"dataset": "made up", "synthetic": True},
        seed=0,
        resume=True,
        force=False,
        jobs=1,
        progress=lambda name, done, total: None,
    )
