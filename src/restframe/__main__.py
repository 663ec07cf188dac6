"""`python -m restframe`, for an environment whose scripts are not on the path."""

import sys

from restframe.cli import main

sys.exit(main())
