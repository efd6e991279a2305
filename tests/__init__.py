"""Tests of fgbench, and what they share."""
