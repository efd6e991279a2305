"""Tables as Markdown, LaTeX, CSV and HTML; the style and the fonts of figures."""
