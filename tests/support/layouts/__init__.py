"""Fake files of public data sets in the layouts of their owners, a module for each."""
