"""Use of trained networks: on test data anew, on other data, on users' files, and as ONNX."""
