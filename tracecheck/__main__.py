"""`python -m tracecheck` is the command `tracecheck`."""

import sys

from tracecheck.cli import main

if __name__ == "__main__":
    sys.exit(main())
