"""``python -m kvmlab``."""

import sys

from kvmlab.cli import main

if __name__ == "__main__":
    sys.exit(main())
