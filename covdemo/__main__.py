"""The command line: ``python -m covdemo COMMAND``."""

import sys

from covdemo.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
