"""The data sets that fgbench reads: what a recipe takes from one, what is there, and what should be."""
