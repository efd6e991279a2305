"""Tables of the paper: one plugin each, with `build(workdir) -> Table`."""
