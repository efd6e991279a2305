"""Clip networks: TMSAU-Net, its temporal streams and NAN."""
