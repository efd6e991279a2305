"""SVM on bags of dense trajectories."""
