"""fgbench: data-set pipeline and benchmark toolkit for fine-grained facial expression recognition."""

__version__ = "0.1.0"
