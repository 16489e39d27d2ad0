"""A map is what its single runs are, however its work is divided and wherever it is done."""

import io
import json
import tracemalloc
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

from covdemo.config import RunConfig
from covdemo.failures import KINDS
from covdemo.outcomes import Outcome
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.run import Run
from covdemo.stability import AXES, OUTCOMES, UNKNOWN, Axis, StabilityMap, sweep

SMALL = RunConfig(points=25, epochs=2)
RATES = Axis("lr_cov", (1e-5, 1e-3, 0.1, 10.0))
METHODS = Axis("parameterization", tuple(PARAMETERIZATIONS))
OTHERS = [
    Axis("lr_mu", (1e-3, 1e-2)),
    Axis("lr_nn", (0.01, 1.0)),
    Axis("momentum", (0.0, 0.9)),
    Axis("parameterization", ("covariance", "tril")),
]
MEASURES = ("outcome", "failed_at", "kind", "accuracy", "kl")


def small(y=OTHERS[0], seeds=(0, 1)):
    return StabilityMap.empty(SMALL, RATES, y, seeds)


def equal(mine, other):
    return [
        np.array_equal(getattr(mine, name), getattr(other, name), equal_nan=name in ("accuracy", "kl")) for name in MEASURES
    ]


@pytest.fixture(scope="module")
def methods():
    return sweep(StabilityMap.empty(SMALL, RATES, METHODS, (0, 3)))


def assert_is_its_run(found, *place):
    """Compare a place of a map with the single run of its settings."""
    run = Run(found.run_config(*place))
    run.advance(run.total)
    failures = run.history.failures
    assert OUTCOMES[found.outcome[place]] == run.outcome
    assert found.failed_at[place] == (failures[0].trial if failures else -1)
    assert found.kind[place] == (KINDS.index(failures[0].kind) if failures else -1)
    assert found.accuracy[place] == pytest.approx(run.frame().accuracy, rel=1e-6)
    # element-wise functions round differently in vector lanes and alone, a float32 last digit each trial
    assert found.kl[place] == pytest.approx(run.frame().kl.sum(), rel=1e-3, nan_ok=True)


@pytest.mark.parametrize("row", range(len(METHODS.values)), ids=METHODS.values)
def test_a_cell_is_the_single_run_with_its_settings(methods, row):
    assert_is_its_run(methods, row, *np.random.default_rng(row).integers([len(RATES.values), 2]))


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("key", ["covariance", "log-cholesky", "affine-invariant"])
def test_a_cell_is_its_single_run_whatever_the_axes_and_the_epochs(key, epochs):
    axes = Axis("lr_nn", (0.01, 0.1, 1.0)), Axis("momentum", (0.0, 0.3, 0.9))
    config = replace(SMALL, parameterization=key, points=10, epochs=epochs, lr_cov=1e-3)
    found = sweep(StabilityMap.empty(config, *axes, (0, 3)))
    assert_is_its_run(found, *np.random.default_rng(epochs).integers([3, 3, 2]))


@pytest.mark.parametrize("y", OTHERS, ids=lambda axis: axis.name)
def test_any_two_settings_can_be_the_axes(y):
    found = sweep(small(y))
    assert found.complete
    assert (found.run_config(1, 2, 1).lr_cov, getattr(found.run_config(1, 2, 1), y.name)) == (0.1, y.values[1])


def test_a_distance_that_float32_cannot_hold_is_infinite():
    config = replace(SMALL, parameterization="precision", points=10, epochs=1, lr_nn=0.1)
    found = sweep(StabilityMap.empty(config, Axis("lr_mu", (1e30,)), Axis("momentum", (0.0,)), (0,)))
    assert np.isinf(found.kl).all()


def test_shares_add_up_to_one(methods):
    assert sum(methods.share(outcome) for outcome in Outcome) == pytest.approx(np.ones((len(METHODS.values), 4)))


def test_shares_of_what_is_not_known_are_not_numbers():
    assert np.isnan(small().share(Outcome.LEARNED)).all()


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_the_division_into_chunks_changes_only_the_last_digit(chunk):
    whole, found = sweep(small()), sweep(small(), chunk=chunk)
    assert equal(found, whole)[:3] == [True] * 3
    assert np.allclose(found.kl, whole.kl, rtol=1e-3)


def test_the_settings_of_a_large_map_are_made_chunk_by_chunk():
    axes = (
        Axis("lr_cov", tuple(np.geomspace(1e-8, 1, 400).tolist())),
        Axis("lr_mu", tuple(np.geomspace(1e-8, 1, 250).tolist())),
    )
    large = StabilityMap.empty(RunConfig(points=1, epochs=1), *axes, (0,))

    def stop(found):
        raise KeyboardInterrupt

    tracemalloc.start()
    with pytest.raises(KeyboardInterrupt):
        sweep(large, keep=stop, chunk=8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # bytes; the settings of 10^5 runs take 150 million


def test_threads_do_the_same():
    with ThreadPoolExecutor(2) as executor:
        found = sweep(small(), executor, chunk=4)
    assert equal(found, sweep(small(), chunk=4)) == [True] * 5


def test_other_processes_do_the_same():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        found = sweep(small(), executor, chunk=8)
    assert equal(found, sweep(small(), chunk=8)) == [True] * 5


def test_a_map_that_was_interrupted_goes_on_where_it_stopped():
    kept = []

    def stop(found):
        kept.append(replace(found, **{name: getattr(found, name).copy() for name in MEASURES}))
        if len(kept) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(small(), keep=stop, chunk=4)
    seen = []
    found = sweep(kept[-1], progress=seen.append, chunk=4)
    assert min(seen) >= 0.5  # half of the sixteen runs are not done again
    assert equal(found, sweep(small(), chunk=4)) == [True] * 5


def test_progress_rises_to_one():
    seen = []
    sweep(small(), progress=seen.append, chunk=4)
    assert (seen == sorted(seen), seen[-1]) == (True, 1.0)


def test_a_complete_map_asks_for_no_work():
    found = sweep(small())
    seen = []
    sweep(found, progress=seen.append)
    assert seen == []


def test_a_map_survives_its_file(methods, tmp_path):
    methods.save(tmp_path / "map.npz")
    again = StabilityMap.load(tmp_path / "map.npz")
    assert again.same_grid(methods)
    assert (again.x, again.y, again.seeds) == (methods.x, methods.y, methods.seeds)
    assert equal(again, methods) == [True] * 5


def test_a_half_done_map_survives_its_file_too(tmp_path):
    small().save(tmp_path / "map.npz")
    assert (StabilityMap.load(tmp_path / "map.npz").outcome == UNKNOWN).all()


def test_maps_of_other_settings_are_not_the_same():
    other = StabilityMap.empty(replace(SMALL, points=26), RATES, OTHERS[0], (0, 1))
    assert not other.same_grid(small())


def packed(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


BROKEN = {
    "empty": b"",
    "text": b"not a map",
    "no description": packed(outcome=np.zeros(3)),
    "no JSON": packed(description=np.array("{")),
    "a pickle": packed(description=np.array([{}], dtype=object)),
    "other JSON": packed(description=np.array("[]")),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_no_map_is_refused_in_a_sentence(content):
    with pytest.raises(ValueError, match="expected a map"):
        StabilityMap.load(io.BytesIO(content))


def changed(path, **arrays):
    """Write a map in which one seed fails, with some of the file's arrays changed."""
    found = small()
    found.outcome[...], found.accuracy[...], found.kl[...] = OUTCOMES.index(Outcome.LEARNED), 1, 0.5
    found.outcome[..., 0], found.failed_at[..., 0], found.kind[..., 0] = OUTCOMES.index(Outcome.FAILED), 7, 1
    found.save(path)
    content = dict(np.load(path))
    if "grid" in arrays:
        grid = json.loads(str(content["description"])) | arrays.pop("grid")
        arrays["description"] = np.array(json.dumps(grid))
    np.savez(path, **content | arrays)
    return path


FULL = small().outcome.shape
WRONG = {
    "a number that wraps around": ({"outcome": np.full(FULL, 256)}, "outcome: expected numbers from -1 to 2"),
    "a broken number": ({"outcome": np.full(FULL, 0.7)}, "outcome: expected numbers like int8, got float64"),
    "whole numbers for KL": ({"kl": np.zeros(FULL, int)}, "kl: expected numbers like float32, got int64"),
    "a failing trial without a kind": (
        {"kind": np.full(FULL, -1, np.int8)},
        "kind: expected one where there is a failing trial",
    ),
    "an accuracy above one": ({"accuracy": np.full(FULL, 1.5)}, "accuracy: expected numbers from 0 to 1"),
    "an outcome without a meaning": ({"outcome_names": np.array(["x", "y", "z"])}, "outcome: expected failed, .*; got x, z"),
    "an unknown method": ({"grid": {"y": {"name": "parameterization", "values": ["nope", "tril"]}}}, "'nope' is not one of"),
    "a method that is a number": (
        {"grid": {"y": {"name": "parameterization", "values": [1, 2]}}},
        "parameterization: '1' is not",
    ),
    "a rate that is none": ({"grid": {"y": {"name": "lr_mu", "values": ["fast", 1.0]}}}, "lr_mu: 'fast' is not a number"),
    "a negative rate": ({"grid": {"y": {"name": "lr_mu", "values": [-1.0, 1.0]}}}, "lr_mu: '-1.0' is not a number from 0"),
    "a rate that is a text": ({"grid": {"y": {"name": "lr_mu", "values": ["1", "2"]}}}, "lr_mu: expected numbers, got '1'"),
    "seeds that are texts": ({"grid": {"seeds": ["a", "b"]}}, "expected whole numbers from 0 to 4,294,967,295 as seeds"),
    "broken seeds": ({"grid": {"seeds": [0.5, 1.5]}}, "expected whole numbers from 0"),
    "an unknown policy": ({"grid": {"config": {"policy": "hope"}}}, "expected one of stop, .* for policy, got 'hope'"),
    "an unknown device": ({"grid": {"config": {"device": "abacus"}}}, "expected one of cpu, cuda for device, got 'abacus'"),
}


@pytest.mark.parametrize(("arrays", "words"), WRONG.values(), ids=WRONG)
def test_a_file_of_what_cannot_be_is_refused_in_a_sentence(arrays, words, tmp_path):
    path = changed(tmp_path / "map.npz", **arrays)
    with pytest.raises(ValueError, match=words):
        StabilityMap.load(path)


def test_outcomes_and_kinds_are_found_by_their_names_wherever_they_stood(tmp_path):
    path = changed(tmp_path / "map.npz")
    then, content = StabilityMap.load(path), dict(np.load(path))
    for measure in ("outcome", "kind"):
        last = len(content[f"{measure}_names"]) - 1
        content[f"{measure}_names"] = content[f"{measure}_names"][::-1]
        content[measure] = np.where(content[measure] < 0, content[measure], last - content[measure])
    np.savez(path, **content)
    assert equal(StabilityMap.load(path), then) == [True] * 5


def test_a_file_from_before_there_were_names_is_read(tmp_path):
    path = changed(tmp_path / "map.npz")
    then, content = StabilityMap.load(path), dict(np.load(path))
    np.savez(path, **{name: array for name, array in content.items() if not name.endswith("_names")})
    assert equal(StabilityMap.load(path), then) == [True] * 5


def test_a_map_of_a_graphics_card_is_read_without_one(tmp_path):
    StabilityMap.empty(replace(SMALL, device="cuda"), RATES, OTHERS[0], (0,)).save(tmp_path / "map.npz")
    assert StabilityMap.load(tmp_path / "map.npz").config.device == "cuda"


def test_arrays_of_another_shape_are_refused(tmp_path):
    found = small()
    replace(found, kl=found.kl[:1]).save(tmp_path / "map.npz")
    with pytest.raises(ValueError, match="expected a map of shape"):
        StabilityMap.load(tmp_path / "map.npz")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Axis("seed", (0,)), f"expected one of {', '.join(AXES)} as an axis; got 'seed'"),
        (lambda: Axis("lr_cov", ()), "expected at least one value of lr_cov, got none"),
        (lambda: StabilityMap.empty(SMALL, RATES, RATES, (0,)), "expected two different axes, got lr_cov twice"),
        (lambda: small(seeds=()), "expected at least one seed, got none"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
