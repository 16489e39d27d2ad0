"""What goes wrong with a cluster is told in a sentence."""

import os
from concurrent.futures import CancelledError

import pytest

from covdemo import cluster, map_command
from covdemo.arguments import BadArgument
from covdemo.cli import main


@pytest.fixture(scope="module")
def distributed():
    return pytest.importorskip("distributed") if "CI" not in os.environ else __import__("distributed")


@pytest.fixture(scope="module")
def address(distributed):
    """A scheduler without workers."""
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=None) as started:
        yield started.scheduler_address


FAULTS = {
    "a scheduler that is gone": (lambda package: CancelledError(), "the scheduler at .* is lost"),
    "a connection that is gone": (lambda package: package.comm.CommClosedError("in <TCP>"), "the scheduler at .* is lost"),
    "workers that die": (lambda package: package.KilledWorker("chunk", None, 3), "4 workers died of the same work"),
}


@pytest.mark.xdist_group("cluster")
@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS)
def test_a_cluster_that_is_lost_is_told_in_a_sentence(distributed, address, fault, words):
    with pytest.raises(cluster.ClusterLost, match=words), cluster.executor(address):
        raise fault(distributed)


@pytest.mark.xdist_group("cluster")
def test_a_fault_of_the_work_itself_stays_what_it_is(address):
    with pytest.raises(BadArgument, match="other"), cluster.executor(address):
        raise BadArgument("other")


@pytest.mark.xdist_group("cluster")
def test_the_command_says_that_the_file_keeps_what_is_done(address, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(map_command, "sweep", lose)
    code = main(["map", "--points", "1", "--epochs", "1", "--dask", address, "--out", str(tmp_path / "map.npz")])
    assert code == map_command.CLUSTER_LOST
    assert f"is lost. {tmp_path / 'map.npz'} keeps the runs that are done" in capsys.readouterr().err


def lose(*arguments):
    """Lose the scheduler at once, without the half minute in which Dask looks for it."""
    raise CancelledError
