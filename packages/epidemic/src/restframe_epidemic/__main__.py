"""`python -m restframe_epidemic`: the command line."""

import sys

from restframe_epidemic.cli import main

if __name__ == "__main__":
    sys.exit(main())
