"""The embedded data set: faces drawn from FACS action units, with exact truth."""
