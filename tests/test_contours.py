import numpy as np
import pytest

from covdemo.config import RunConfig
from covdemo.contours import GRID, boundary, lead
from covdemo.run import Run

CENTRE, REACH = (0.0, 0.0), 2.0


def circles(*centres, radius=0.3, weights=None):
    """Return the densities of round normal distributions, which span hundreds of orders of magnitude."""
    centres, weights = np.array(centres), np.ones(len(centres)) if weights is None else np.array(weights)

    def decide(places):
        distance = np.linalg.norm(places[:, None] - centres, axis=-1)
        return weights * np.exp(-0.5 * (distance / radius) ** 2)

    return decide


def test_two_equal_circles_are_separated_by_the_line_halfway():
    (line,) = boundary(circles((-1, 0.03), (1, 0.03)), CENTRE, REACH)
    np.testing.assert_allclose(line[:, 0], 0, atol=0.003)  # a 32nd of a cell of the grid


def test_a_heavier_circle_pushes_the_line_away_by_the_logarithm_of_its_weight():
    (line,) = boundary(circles((-1, 0), (1, 0), weights=(1e12, 1)), CENTRE, REACH)
    np.testing.assert_allclose(line[:, 0], 0.3**2 * np.log(1e12) / 2, atol=0.003)


def test_a_model_without_weights_decides_nowhere():
    assert boundary(lambda places: np.zeros((len(places), 2)), CENTRE, REACH) == []


def test_places_where_all_densities_underflow_are_left_out():
    lines = boundary(circles((-1, 0), (1, 0), radius=0.02), CENTRE, REACH)
    assert all(np.abs(line).max() < 2 for line in lines)


def test_scores_that_are_not_finite_are_no_decision():
    lines = boundary(lambda places: np.full((len(places), 2), np.inf), CENTRE, REACH)
    assert lines == []


def test_three_circles_meet_in_one_place():
    corners = [(np.cos(angle), np.sin(angle)) for angle in (0.5, 2.5944, 4.6888)]
    lines = boundary(circles(*corners), CENTRE, REACH)
    nearest = min(np.linalg.norm(line, axis=1).min() for line in lines)
    assert nearest < 0.1
    ranked = [np.sort(circles(*corners)(line), axis=1) for line in lines]
    ratio = np.concatenate([np.log(scores[:, 2] / scores[:, 1]) for scores in ranked])
    assert np.abs(ratio).max() < 0.1


@pytest.fixture(scope="module")
def thin():
    """Return a run just before a failure, one of whose ellipses is 30 times as long as wide."""
    run = Run(RunConfig(policy="skip", epochs=1))
    run.advance(13)
    return run


@pytest.mark.parametrize(("reach", "grid"), [(2.0, 56), (3.0, 84)])
def test_around_a_thin_ellipse_the_boundary_is_that_of_a_much_finer_grid(reach, grid, thin):
    frame = thin.frame()
    found = boundary(thin.decide, CENTRE, reach, grid, frame.means, frame.scale_trils)
    fine = boundary(thin.decide, CENTRE, reach, 600)
    assert len(found) == len(fine) == 2
    exact = np.concatenate(fine)
    place = np.concatenate([line[1:-1] for line in found])  # a line ends where densities underflow, in a cell somewhere
    place = place[np.abs(place).max(axis=1) < reach]
    distances = np.linalg.norm(place[:, None] - exact, axis=-1)
    assert distances.min(axis=1).max() < 2 * reach / 600  # a cell of the fine grid
    assert distances.min(axis=0).max() < 2 * 2 * reach / grid  # two cells of the coarse one


def test_crossing_ellipses_as_thin_as_a_hair_are_found_both():
    factors = np.array([[[1e-4, 0.0], [0.0, 0.5]], [[0.5, 0.0], [0.0, 1e-4]], [[1.0, 0.0], [0.0, 1.0]]])
    means = np.array([[0.013, 0.027], [-0.31, 0.4], [0.0, 0.0]])

    def decide(places):
        z = np.einsum("kij,mkj->mki", np.linalg.inv(factors), places[:, None] - means)
        return np.exp(-0.5 * (z**2).sum(axis=-1)) / np.linalg.det(factors)

    place = np.concatenate(boundary(decide, CENTRE, REACH, means=means, factors=factors))
    for across, along in ((0, 1), (1, 0)):
        edge = place[np.abs(place[:, across] - means[across, across]) < 1e-3, along]
        inside = np.sort(edge[np.abs(edge - means[across, along]) < 1])
        assert np.ptp(inside) > 1.8
        assert np.diff(inside).max() < 2 * 2 * REACH / GRID


@pytest.mark.parametrize(("scores", "ahead"), [((1, 3, 2), 1), ((3, 1, 2), -2), ((2, 2, 1), np.nan)])
def test_the_lead_is_over_the_best_other(scores, ahead):
    np.testing.assert_equal(lead(np.array([scores], dtype=float), 1), [ahead])
