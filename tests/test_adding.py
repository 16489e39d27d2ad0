"""docs/adding.md adds a parameterization as it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "adding.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LAWS = """
import pytest, sys
import example
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-k", "exp-factor", *sys.argv[1:]]))
"""


def run(tmp_path, program, *arguments):
    """Run a program beside the page's first block, in a Python of its own: the registry of this one stays as it is."""
    (tmp_path / "example.py").write_text(BLOCKS[0])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_page_has_a_class_and_its_use():
    assert ["class ExpFactor" in block for block in BLOCKS] == [True, False]


def test_the_class_of_the_page_trains_as_it_says(tmp_path):
    finished = run(tmp_path, f"import example\n{BLOCKS[1]}")
    assert finished.returncode == 0, finished.stderr


def test_the_class_of_the_page_keeps_the_laws_of_the_contract(tmp_path):
    finished = run(tmp_path, LAWS, "tests/test_contract.py", "tests/test_guarantees.py")
    assert finished.returncode == 0, finished.stdout
    assert int(re.search(r"(\d+) passed", finished.stdout)[1]) > 20


@pytest.mark.parametrize(("method", "name"), re.findall(r"^\| `(\w+)\(.*\| `(\w+)`", PAGE, re.MULTILINE))
def test_the_example_of_a_method_defines_it(method, name):
    sources = "".join(path.read_text() for path in (ROOT / "covdemo" / "parameterizations").glob("*.py"))
    body = re.search(rf"^class {name}\(nn.Module\):\n(.*?)(?=^\S|\Z)", sources, re.MULTILINE | re.DOTALL)
    assert f"def {method}(" in body[1]
