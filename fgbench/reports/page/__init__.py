"""One page that shows a work folder: its data, its runs, their mistakes, and where they come from.

Reads manifests and ``runs/``; writes one HTML file that needs no network. ``build`` puts the parts together,
``html`` makes the file of them; what a browser does with it lies in ``assets``.
"""
