"""Written forms of reports: tables as Markdown, LaTeX, CSV or HTML; style and fonts of figures."""
