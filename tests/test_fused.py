"""Fused trials are the trials of ``Trainer.step``: equal without a compiler, and with one but for the last digit."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils import _pytree as pytree

from covdemo.batch import Shown, build_trainer, tensor
from covdemo.config import RunConfig
from covdemo.fates import NONE, Fate, follow
from covdemo.fused import CannotCompile, FusedTrials
from covdemo.learner import OBJECTIVES
from covdemo.optimizers import OPTIMIZERS
from covdemo.parameterizations import PARAMETERIZATIONS
from covdemo.scalarize import CannotScalarize
from covdemo.trainer import Trial

ROOT = Path(__file__).parent.parent
COMPILER = shutil.which(os.environ.get("CXX", "g++")) or shutil.which("clang++")
BASE = RunConfig(points=20, epochs=1, lr_cov=1e-5)
TRIALS = 12


def started(replicas=1):
    """Return a trainer and the state that it begins with."""
    trainer = build_trainer([BASE] * replicas)
    return trainer, trainer.init(tensor(BASE.start_means, BASE), tensor(BASE.start_covariances, BASE))


@torch.no_grad()
def both(config, compiled=False, unroll=3, rates=(1e-6, 1e-5, 1e-3)):
    """Return what fused trials and the trainer's own come to: parameters, slots, distributions and fates."""
    configs = [replace(config, lr_cov=rate * config.lr_cov / BASE.lr_cov, seed=seed) for rate in rates for seed in range(2)]
    trainer, shown = build_trainer(configs), Shown(configs)
    state = trainer.init(tensor(config.start_means, config), tensor(config.start_covariances, config))
    fate = Fate.unknown(len(configs), state.alive.device)
    fused = FusedTrials(trainer, state, compiled, unroll)
    tables = fused.pack(state, fate)
    for start in range(0, TRIALS, unroll):
        tables = fused(tables, torch.stack([*trainer.rates]), *shown.trials(start, unroll), shown.lane, start + 1)
    for trial in range(TRIALS):
        state, fate = follow(trainer, state, fate, shown.trial(trial), torch.tensor(trial + 1))
    return leaves(*fused.unpack(tables)), leaves(state, fate)


def leaves(state, fate):
    return pytree.tree_leaves((state.parameters, state.slots, state.distributions.tensors, state.alive, fate))


def cases():
    for key in PARAMETERIZATIONS:
        yield pytest.param(replace(BASE, parameterization=key), id=key)
    for key in OBJECTIVES:
        yield pytest.param(replace(BASE, objective=key), id=key)
    for key in OPTIMIZERS:
        yield pytest.param(replace(BASE, optimizer=key, lr_mu=1e-4, lr_cov=1e-7), id=key)
    yield pytest.param(replace(BASE, policy="skip", lr_cov=1.0), id="skip")
    yield pytest.param(replace(BASE, lr_cov=1e-3), id="some fail")


@pytest.mark.parametrize("config", list(cases()))
def test_trials_taken_apart_do_what_the_trainer_does(config):
    fused, stepped = both(config)
    # nearly bit for bit: kernels of several operations, and gradients by automatic differentiation, round for themselves
    for mine, expected in zip(fused, stepped, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-5, atol=1e-8, equal_nan=True)


def test_some_of_these_runs_fail_and_others_do_not():
    fate = Fate(*both(replace(BASE, lr_cov=1e-3))[0][-2:])
    assert {bool(trial == NONE) for trial in fate.failed_at} == {True, False}


@pytest.mark.skipif(not COMPILER and "CI" not in os.environ, reason="no C++ compiler: install g++ or set CXX")
@pytest.mark.parametrize("key", ["affine-invariant"])  # compiling takes long, and test_batch.py compiles another
def test_compiled_trials_agree_with_the_trainer(key):
    fused, stepped = both(replace(BASE, parameterization=key), compiled=True, unroll=1)
    # the compiler's exponentials and logarithms round for themselves
    for mine, expected in zip(fused, stepped, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-7)


def test_what_differs_in_numbers_only_is_compiled_once():
    one, other = FusedTrials(*started(1), unroll=1), FusedTrials(*started(3), unroll=1)
    assert one._function is other._function
    assert FusedTrials(*started(), unroll=2)._function is not one._function


def test_compiling_leaves_the_argument_checks_of_torch_on():
    # torch switches them off as it loads its compiler, so this is about a process that has not
    program = (
        "import torch; from tests.test_fused import FusedTrials, started; FusedTrials(*started(), unroll=1);"
        "torch.distributions.Normal(0.0, -1.0)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert "ValueError: Expected parameter scale" in finished.stderr


def test_numbers_survive_packing_and_lie_replicas_innermost():
    trainer, state = started(4)
    fused = FusedTrials(trainer, state, compiled=False, unroll=1)
    again, _ = fused.unpack(fused.pack(state, Fate.unknown(4, state.alive.device)))
    assert [leaf.stride() for leaf in again.parameters] == [leaf.stride() for leaf in state.parameters]
    for mine, expected in zip(again.parameters, state.parameters, strict=True):
        assert torch.equal(mine, expected)


@pytest.mark.parametrize("policy", ["jitter", "project", "backtrack"])
def test_a_policy_that_repairs_is_refused(policy):
    with pytest.raises(CannotScalarize):
        both(replace(BASE, policy=policy))


def test_a_dimension_above_the_unrolled_ones_is_refused():
    trainer = build_trainer([BASE])
    state = trainer.init(torch.zeros(2, 5), torch.eye(5).expand(2, 5, 5))
    with pytest.raises(CannotScalarize):
        FusedTrials(trainer, state)


def test_three_dimensions_are_not():
    trainer = build_trainer([BASE])
    state = trainer.init(torch.zeros(2, 3), torch.eye(3).expand(2, 3, 3))
    fused = FusedTrials(trainer, state, compiled=False, unroll=1)
    x, label = torch.ones(1, 3), torch.zeros(1, dtype=torch.int64)
    fate = Fate.unknown(1, state.alive.device)
    expected, _ = trainer.step(state, Trial(x, label))
    lane = torch.zeros(1, dtype=torch.int64)
    found, _ = fused.unpack(fused(fused.pack(state, fate), torch.stack([*trainer.rates]), x.T[None], label[None], lane, 1))
    assert torch.equal(found.parameters.means, expected.parameters.means)


def test_without_a_compiler_a_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("no-such-compiler",))
    with pytest.raises(CannotCompile, match="no-such-compiler"):
        both(replace(BASE, parameterization="diagonal"), compiled=True, unroll=1)


def test_where_the_compiler_fails_a_sentence_says_so(monkeypatch, tmp_path):
    compiler = tmp_path / "compiler"
    compiler.write_text('#!/bin/sh\ncase "$*" in *--version*) echo "g++ (GCC) 12.2.0";; *) exit 1;; esac\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", (str(compiler),))
    with pytest.raises(CannotCompile, match=r"^CppCompileError: C\+\+ compile error$"):
        both(replace(BASE, parameterization="spherical"), compiled=True, unroll=1)


def test_memory_is_what_is_handed_on():
    # means 4, matrices 8, weights 4, each with its velocity, in float32; alive; trial and kind of the first failure
    assert FusedTrials(*started(), compiled=False, unroll=1).bytes_per_replica == 4 * 2 * 16 + 1 + 2 * 4
