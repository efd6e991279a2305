"""What other programs predicted, scored under the protocol of a work folder: the referee."""
