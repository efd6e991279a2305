"""The contract of methods."""

from __future__ import annotations

from types import ModuleType

from fgbench import plugins
from fgbench.config import Section, load_baseline
from fgbench.contracts.signatures import signature_fault
from fgbench.errors import ConfigError
from fgbench.plugin_sketch import options_fault
from fgbench.preparation import pipeline


def method_faults(name: str, module: ModuleType) -> list[str]:
    """Violations of the contract by a method.

    Its defaults have to be a valid recipe with a name, its features have to exist, and it has to run from a
    recipe and the context of the run.

    Args:
        name: Its name, with underscores.
        module: Its module.
    """
    package = plugins.package_of("methods", name)
    options = getattr(module, "OPTIONS", {})
    given = [] if options_fault(options) else [key for key, (kind, _) in options.items() if kind != "flag"]
    ways = [["config", "context", *given]]
    if not package:  # fgbench's own command starts a network from weights of others, or over an image model
        ways += [["config", "context", "weights"], ["config", "context", "image"]]
    faults = signature_fault(module.run, *ways)
    features = (*pipeline.FEATURES, *plugins.other_names("stages"))
    unknown = [stage for stage in module.NEEDS if str(stage).replace("-", "_") not in features]
    if unknown:
        faults.append(f"NEEDS names {', '.join(map(repr, unknown))}, expected some of {', '.join(features)}")
    if fault := options_fault(options):
        faults.append(fault)
    elif options and not hasattr(module, "check_options"):
        faults.append("has OPTIONS, and no check_options, which returns the small recipe for them")
    typed = name.replace("_", "-")
    if not (module.__doc__ or "").startswith(f"Baseline ``{typed}``: "):
        faults += [f"its docstring does not begin with 'Baseline ``{typed}``: ', which its help is made of"]
    if hasattr(module, "RECIPE"):
        faults += _recipe_faults(typed, module.RECIPE)
    return faults


def _recipe_faults(name: str, model: type[Section]) -> list[str]:
    if "name" not in model.model_fields:
        return ["RECIPE has no key name; derive it from fgbench.config.BaselineConfig"]
    try:
        load_baseline(name, model)
    except ConfigError as error:
        return [error.message]
    return []
