"""Entry point of the console script; imports nothing by itself, so that it can be interrupted at once."""

import sys


def main() -> None:
    """Run the command; Ctrl-C while it is still being imported ends it without a traceback, too."""
    try:
        from fgbench.cli.app import main as run
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; nothing was done yet\n")
        raise SystemExit(130) from None
    run()
