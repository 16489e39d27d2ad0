"""The page after its server was killed and started again, and two tabs on one link."""

import os
import signal
import time
import urllib.request
from urllib.parse import urlsplit

import pytest
from test_page import press, rate, say, trials_shown, under_way, wait_for_address

from covdemo import headless

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("still browser")]

SETTINGS = "parameterization=log-cholesky&lr_cov=0.002&epochs=250"
GONE = "() => document.querySelector('[data-testid=stProgress]').innerText.startsWith('Trial 0 of')"


def test_after_its_server_was_killed_in_mid_run_the_page_comes_back_to_its_settings_and_trains(browser):
    with headless.serve() as server:
        port = urlsplit(server.url).port
        with headless.view(browser, f"{server.url}/?{SETTINGS}") as viewer:
            press(viewer, "Train")
            under_way(viewer)
            assert trials_shown(viewer)[-1] > 0
            os.kill(server.pid, signal.SIGKILL)
            say(viewer, "Connection")
            with headless.serve(port=port) as again:
                viewer.page.wait_for_function(GONE, timeout=1000 * headless.PATIENCE)
                headless.settle(viewer.page)
                assert rate(viewer).input_value() == "0.002"
                assert viewer.page.url.endswith(SETTINGS)
                press(viewer, "Train")
                under_way(viewer)
                assert trials_shown(viewer)[-1] > 0
                assert "Traceback" not in again.log


def test_a_page_whose_connection_is_lost_comes_back_to_its_run(browser, server):
    connections = []

    def pass_on(connection):
        connection.connect_to_server()
        connections.append(connection)

    with headless.window(browser) as viewer:
        viewer.page.route_web_socket("**/_stcore/stream", pass_on)
        viewer.visit(f"{server.url}/?{SETTINGS}")
        press(viewer, "Step")
        say(viewer, "Trial 1 of")
        connections[0].close()
        end = time.monotonic() + headless.PATIENCE
        while len(connections) < 2 and time.monotonic() < end:
            viewer.page.wait_for_timeout(100)
        press(viewer, "Step")
        say(viewer, "Trial 2 of")


@pytest.mark.parametrize("path", ["", "_stcore/health", "_stcore/host-config", "_stcore/metrics"])
def test_the_server_answers_anyone_and_forbids_no_frame_as_the_documentation_says(path, server):
    with urllib.request.urlopen(f"{server.url}/{path}") as answer:
        sent = {name.lower() for name in answer.headers}
    assert {"content-security-policy", "x-frame-options"} & sent == set()


def test_two_tabs_on_one_link_train_and_change_apart_from_each_other(visit):
    one, other = visit(f"?{SETTINGS}"), visit(f"?{SETTINGS}")
    press(one, "Train")
    under_way(one)
    press(other, "Step")
    say(other, "Trial 1 of")
    rate(one).fill("0.003")
    rate(one).press("Enter")
    wait_for_address(one, parameterization="log-cholesky", lr_cov="0.003", epochs="250")
    assert (rate(other).input_value(), trials_shown(other)[-1]) == ("0.002", 1)
    assert other.page.url.endswith(SETTINGS)
