"""Tables and figures of a work folder."""
