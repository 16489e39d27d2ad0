"""Lets the scripts of this folder find covdemo in this checkout, whether it is installed or not."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
