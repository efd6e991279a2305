"""Trained networks used: on test data anew, on other data, on own files, and as ONNX."""
