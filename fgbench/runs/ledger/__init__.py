"""The ledger of a work folder: every reading of its test part by an evaluation, in a chain of hashes.

``lines`` checks a line, ``chain`` appends to the file and verifies it, ``entries`` makes a reading of a run,
``again`` of one that is tested anew, ``counts`` tells how often the test part was read, ``missing`` finds
runs without a reading.
"""
