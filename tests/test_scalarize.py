"""A function that has been taken apart into vectors is still the same function."""

import pytest
import torch

from covdemo.scalarize import CannotScalarize, Tape, trace

REPLICAS = 5


def taken_apart(function, *shapes):
    """Return the function of whole tensors, and the same one put together from vectors."""
    generator = torch.Generator().manual_seed(0)
    arguments = [torch.rand(REPLICAS, *shape, generator=generator) + 0.5 for shape in shapes]
    tape = Tape()
    ids = [tape.inputs(argument[0].numel(), f"a{i}").reshape(1, *argument.shape[1:]) for i, argument in enumerate(arguments)]
    (result,) = tape.run(trace(function, *(argument[:1] for argument in arguments)), *ids)
    module = tape.module([result.flatten()], like=ids[0].flatten())
    (table,) = module(*(argument.flatten(1).T for argument in arguments))
    return function(*arguments), table.T.reshape(REPLICAS, *result.shape[1:]), module


def slope(x):
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(x.exp() * x.flip(-1), x, torch.ones_like(x))[0]


FUNCTIONS = {
    "element-wise": (lambda a, b: torch.where(a > b, a.exp() * b, b.sqrt() - a), [(2, 2), (2, 2)]),
    "broadcast": (lambda a, b: a.unsqueeze(-1) * b, [(2,), (2, 3)]),
    "transpose": (lambda a: a.mT.flip(-1)[..., 1:], [(2, 3)]),
    "stack": (lambda a, b: torch.stack([a, b.log(), a], -1), [(3,), (3,)]),
    "diagonal": (lambda a: a.diagonal(dim1=-2, dim2=-1).log().diag_embed(), [(2, 2)]),
    "triangle": (lambda a: a.unflatten(-1, (2, 2)).permute(0, 2, 1).reshape(len(a), 4), [(4,)]),
    "sum": (lambda a: a.sum(-1) + a.amax((-2, -1), keepdim=True)[..., 0], [(2, 3)]),
    "all": (lambda a: ((a > 0.8).all(-1) | (a < 0.6).any(-1)).float(), [(2, 3)]),
    "softmax": (lambda a: a - a.logsumexp(-1, keepdim=True), [(3,)]),
    "constants": (lambda a: a + torch.arange(3, device=a.device) * torch.eye(3, device=a.device), [(3, 3)]),
    "gradient": (slope, [(3,)]),
}


@pytest.mark.parametrize(("function", "shapes"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_of_vectors_gives_the_same_numbers(function, shapes):
    expected, found, _ = taken_apart(function, *shapes)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


def test_equal_terms_are_computed_once():
    *_, module = taken_apart(lambda a: a.exp() + a.exp() * a.exp(), (1,))
    assert [str(node.target) for node in module.graph.nodes].count("aten.exp.default") == 1


def test_what_moves_entries_around_leaves_no_trace():
    *_, module = taken_apart(lambda a: a.mT.flip(-1).reshape(len(a), 6), (2, 3))
    assert {str(node.target) for node in module.graph.nodes if node.op == "call_function"} == {
        "aten.select.int",
        "aten.stack.default",
    }


@pytest.mark.parametrize("rows", [3, 1])
def test_a_result_that_is_the_same_for_all_is_as_long_as_the_replicas(rows):
    _, found, _ = taken_apart(lambda a: torch.ones_like(a) * 2, (rows,))
    assert found.tolist() == [[2.0] * rows] * REPLICAS


REFUSED = {
    "looks at the numbers": lambda a: a if a.sum() > 0 else -a,
    "mixes the replicas": lambda a: a - a.sum(0, keepdim=True),
    "sorts": lambda a: a.sort(-1).values,
    "has a name of its own": lambda a: a.log_softmax(-1),
    "factors": lambda a: torch.linalg.eigvalsh(a),
}


@pytest.mark.parametrize("function", REFUSED.values(), ids=REFUSED)
def test_what_has_no_meaning_entry_by_entry_is_refused(function):
    with pytest.raises(CannotScalarize):
        taken_apart(function, (2, 2))
