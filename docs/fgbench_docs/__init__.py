"""Parts of the documentation's pages that are made from fgbench itself when the site is built."""
