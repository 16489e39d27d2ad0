"""Links and files of strangers in a real browser; ``visit`` also looks at the browser's console and the server's log."""

from urllib.parse import quote

import pytest

from covdemo import headless

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]

LINKS = {
    "numbers": "lr_cov=nan&lr_mu=inf&x1=1e999&points=9e99&seed=-1&momentum=2&vx1=0&lr_nn=%FF%FE&%C3%28=1",
    "texts": f"parameterization={quote('<script>alert(1)</script>')}&{quote('=1+1')}=%00&objective={quote('**b**')}&x2=%F0"
    f"&{'&'.join(['seed=1'] * 50 + ['colour=red'] * 3)}&source=iris&column_x={'a' * 5000}",
    "extreme": "lr_cov=1e308&lr_mu=1e308&lr_nn=1e308&momentum=.999&policy=skip&start_var=1e-38&points=1&epochs=20",
}


@pytest.mark.parametrize("query", LINKS.values(), ids=LINKS)
def test_a_page_opened_by_a_strange_link_is_drawn_and_trains(query, visit):
    viewer = visit(f"?{query}")
    viewer.page.get_by_role("button", name="Run to the end", exact=True).click()
    viewer.page.get_by_text("Trial 0 of").wait_for(state="hidden")
    headless.settle(viewer.page)
    assert viewer.page.locator("canvas.marks").count() == 7
    assert viewer.page.get_by_test_id("stException").count() == 0


def test_a_file_of_50_mb_is_refused_and_the_run_under_way_survives(visit, tmp_path):
    (tmp_path / "big.csv").write_bytes(b"1,2,a\n" * 8_333_334)
    viewer = visit("?source=file&parameterization=log-cholesky")
    viewer.page.get_by_role("button", name="Step", exact=True).click()
    viewer.page.get_by_text("Trial 1 of").wait_for()
    viewer.page.locator("input[type=file]").set_input_files(str(tmp_path / "big.csv"))
    viewer.page.get_by_text("File must be 5.0MB or smaller").wait_for()
    headless.settle(viewer.page)
    assert viewer.page.get_by_text("Trial 1 of").count() == 1
