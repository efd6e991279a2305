"""Baselines: one plugin each, with ``NEEDS`` (stages of features that have to be enabled) and
``run(config, context, ...) -> Path``, the folder of the run.

A plugin with ``RECIPE``, the model of its recipes, becomes the command ``fgbench baseline <name>`` by being
there; `fgbench.cli.baseline` gives others one with options of their own. The first line of its docstring is
the command's help. With ``DEVICE = True`` it is a network: its context has a device, and the command
``--device`` and ``--no-resume``.
"""
