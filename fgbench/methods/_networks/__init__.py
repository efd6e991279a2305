"""Code that the runs of all trained networks share."""
