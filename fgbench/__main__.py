"""``python -m fgbench``."""

from fgbench.cli.app import main

if __name__ == "__main__":
    main()
