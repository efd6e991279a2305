"""Leaks between parts: equal or near-equal pictures, people, sources in two parts."""
