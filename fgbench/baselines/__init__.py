"""Baselines: one plugin each, with ``RECIPE`` (the model of its recipes), ``NEEDS`` (stages of features that
have to be enabled) and ``run(config, place, ...) -> Path``, the folder of the run.

A plugin becomes the command ``fgbench baseline <name>`` by being there, unless `fgbench.cli.baseline` gives
it one with options of its own. The first line of its docstring is the command's help. With ``DEVICE = True``
it is a network: its place has a device, and the command ``--device`` and ``--no-resume``.
"""
