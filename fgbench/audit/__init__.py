"""Leaks between parts: equal and near-equal pictures, people and sources in two parts."""
