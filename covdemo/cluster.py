"""A Dask cluster that does the work of a map."""

from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager

from covdemo.arguments import BadArgument


class ClusterLost(RuntimeError):
    """A cluster does not do its work any more."""


@contextmanager
def executor(address: str | None) -> Iterator[Executor | None]:
    """Give an executor on the cluster; None for no address.

    Raises:
        BadArgument: if Dask is missing, or nobody answers.
        ClusterLost: if later nobody answers any more, or workers die of their work.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client, KilledWorker
    except ModuleNotFoundError:
        raise BadArgument("--dask: distributed is missing: pip install 'covdemo[cluster]'") from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise BadArgument(f"--dask: no scheduler answers at {address}: {error}") from None
    try:
        with client, client.get_executor() as found:
            yield found
    except KilledWorker as error:
        raise ClusterLost(f"--dask: {error.allowed_failures + 1} workers died of the same work") from None
    except (CancelledError, OSError):
        raise ClusterLost(f"--dask: the scheduler at {address} is lost") from None
