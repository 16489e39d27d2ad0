"""Lets the scripts of this folder find covdemo in this checkout, whether it is installed or not."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
