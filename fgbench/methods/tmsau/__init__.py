"""Networks of clips: TMSAU-Net, its temporal streams and NAN."""
