"""Engines: ways to run the tasks of a stage; one plugin each."""
