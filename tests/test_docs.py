"""The pages for readers: their links lead somewhere, their tables are those of the shipped figures, and they stay short."""

import re
from pathlib import Path

import choosing
import doctables
import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
LINKS = [(page, target) for page in PAGES for target in LINK.findall(page.read_text()) if "://" not in target]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page):
    """Return the anchors of a page's headings, as GitHub and most others write them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize(("page", "target"), LINKS, ids=[f"{page.name}: {target}" for page, target in LINKS])
def test_a_link_leads_to_a_file_and_a_heading(page, target):
    name, _, anchor = target.partition("#")
    file = page.parent / name if name else page
    assert file.exists()
    assert not anchor or anchor in anchors(file)


def test_links_were_found():
    assert len(LINKS) > 20


@every_page
def test_a_page_is_shorter_than_300_lines(page):
    assert len(page.read_text().splitlines()) < 300


@every_page
def test_no_two_headings_of_a_page_are_the_same(page):
    assert sorted(anchors(page)) == sorted(set(anchors(page)))


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent != ROOT], ids=lambda page: page.name)
def test_the_readme_leads_to_every_page(page):
    assert f"docs/{page.name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", ["README.md", "docs/deploy.md"])
def test_the_torch_of_a_page_is_the_one_that_is_required(name):
    pinned = re.findall(r"torch==([\d.]+)", (ROOT / "requirements.txt").read_text())
    assert set(re.findall(r"torch==([\d.]+)", (ROOT / name).read_text())) == set(pinned)


def test_the_tables_of_how_to_choose_are_those_of_the_shipped_figures():
    assert doctables.part(choosing.PAGE, choosing.NAME) == choosing.content()


def test_a_page_without_the_comments_is_refused(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no comments")
    with pytest.raises(ValueError, match="expected <!-- figures --> and <!-- end of figures --> in"):
        doctables.put(page, "figures", "1")


def test_only_what_stands_between_the_comments_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures -->\n\nold\n\n<!-- end of figures -->\nafter\n")
    doctables.put(page, "figures", "new")
    assert page.read_text() == "before\n<!-- figures -->\n\nnew\n\n<!-- end of figures -->\nafter\n"
