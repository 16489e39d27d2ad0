"""What a process of the page does once."""

import subprocess
import sys

LATE = "torch.fx.experimental.symbolic_shapes"  # what torch loads at the first gradient
PROGRAM = f"""
import sys, torch
from covdemo import devices
before = {LATE!r} in sys.modules
devices.warm_up().join()
print(before, {LATE!r} in sys.modules, devices.warm_up() is devices.warm_up())
"""


def test_what_torch_loads_at_the_first_gradient_is_loaded_beforehand():
    finished = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["False", "True", "True"]
