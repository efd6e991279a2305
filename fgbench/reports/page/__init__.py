"""HTML page of a work folder: its data, its runs, their mistakes, and their origin.

Reads manifests and ``runs/``; writes one HTML file that needs no network. ``build`` combines the parts,
``html`` makes the file; the scripts for the browser are in ``assets``.
"""
