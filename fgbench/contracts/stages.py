"""The contract of stages of preparation."""

from __future__ import annotations

from types import ModuleType

from pydantic import ValidationError

from fgbench import plugins, records
from fgbench.config import PrepareConfig
from fgbench.preparation import pipeline


def stage_faults(name: str, module: ModuleType) -> list[str]:
    """Violations of the contract by a stage.

    A stage of fgbench is in the order, after its inputs, and has a section of the recipe. One of
    another package computes features: it brings its section, whose defaults are valid, and the schema of its
    one table, and reads stages of fgbench.

    Args:
        name: Its name, with underscores.
        module: Its module.
    """
    if plugins.package_of("stages", name):
        return _faults_of_feature(name, module)
    if name == "publish":  # the last step: a function of the results of all stages, not a stage itself
        return []
    stage = module.STAGE
    if name not in pipeline.ORDER:
        return [f"{name} is not in fgbench.preparation.pipeline.ORDER"]
    faults = []
    if stage.name != name:
        faults.append(f"STAGE.name is {stage.name!r}, expected {name!r}")
    if name not in PrepareConfig.model_fields:
        faults.append(f"recipes have no section {name}")
    for table in stage.outputs.values():
        if "clip_id" not in records.schema(table).names:
            faults.append(f"the table {table} has no column clip_id")
    earlier = pipeline.ORDER[: pipeline.ORDER.index(name)]
    if not set(stage.inputs) <= set(earlier) or bool(stage.inputs) != bool(earlier):
        faults.append(f"STAGE.inputs are {stage.inputs}, expected some of {', '.join(earlier) or 'none'}")
    return faults


def _faults_of_feature(name: str, module: ModuleType) -> list[str]:
    try:
        section = module.CONFIG()
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        return [f"CONFIG has no valid defaults: {'.'.join(map(str, first['loc']))}: {first['msg']}"]
    recipe = PrepareConfig(name=name, features={name: section.model_dump(mode="json")})
    stage = pipeline.stages(recipe)[-1]
    pipeline.schemas(stage, section)
    faults = []
    if stage.version < 1:
        faults.append(f"STAGE.version is {stage.version}, expected 1 or more")
    if not stage.is_enabled(recipe):
        faults.append("a recipe that names it with its defaults does not want it (STAGE.enabled)")
    return faults
