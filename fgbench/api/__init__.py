"""The public names of ``import fgbench``: data sets prepared and opened, methods run, networks used,
numbers compared.

The names are those of ``fgbench/__init__.pyi``; nothing here is imported before it is asked for. Nothing is
printed: sentences for the user go to the logger ``fgbench``, progress to bars where a terminal or a notebook
shows them. What goes wrong is a :class:`fgbench.errors.FgbenchError` with ``message`` and ``hint``.
"""
