"""Support vector machines on Gram matrices: kernels, one-vs-rest machines, calibration."""
