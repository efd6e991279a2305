"""Readers of the files of other programs, a file each; see :mod:`fgbench.inference.other_programs.reading`.

A module has ``ABOUT``, a line on what it reads, ``is_of(columns)``, which tells its tables from others by
their columns in small letters, and ``read(source)``, which returns the predictions; one that reads JSON
documents in place of tables has ``IS_JSON = True``. There is nothing to register.
"""
