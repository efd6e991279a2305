"""What the runs of all trained networks share."""
