import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal

from covdemo import limits
from covdemo.datafiles import read_table
from covdemo.samples import FLOOR, GUESSED, SIZE, Columns, Sample, guess, moments, resolve, sample, start

SMALL = "1.5,2,a\n3,4,b\n"


def points_of(text, wanted=GUESSED, scaling="as-is"):
    return sample(read_table(text), wanted, scaling)


def cloud(seed=0, sizes=(40, 30, 20), scale=(1.0, 1.0)):
    """Return points of categories that lie 3 apart."""
    generator = np.random.default_rng(seed)
    x = np.concatenate([3 * k + generator.standard_normal((n, 2)) @ [[1, 0.5], [0, 0.7]] for k, n in enumerate(sizes)])
    return Sample(x * scale, np.repeat(np.arange(len(sizes)), sizes), tuple("abcde"[: len(sizes)]))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (SMALL, ("column 1", "column 2", "column 3")),
        ("category,y,x\na,2,1.5\nb,4,3\n", ("x", "y", "category")),
        ("name,x,y,category,note\nq,1.5,2,a,\nr,3,4,b,seen\n", ("x", "y", "category")),
        ("species,island,length,depth\na,i,1.5,2\nb,i,3,4\n", ("length", "depth", "species")),
        ("id,length,group\n1,1.5,1\n2,3,2\n", ("id", "length", "group")),
        ("kind;a;b\nu;1,5;2\nv;3;4\n", ("a", "b", "kind")),
        ("X,Y,Category\n1.5,2,a\n3,4,b\n", ("X", "Y", "Category")),
        ("a,b,c\nu,v,w\nu,v,z\n", ("a", "b", "c")),
    ],
    ids=range(8),
)
def test_columns_are_guessed_by_their_names_and_what_they_hold(text, columns):
    assert guess(read_table(text)) == columns


def test_columns_that_are_named_are_used_and_the_others_guessed():
    table = read_table("a,b,c,kind\n1,2,3,u\n4,5,6,v\n")
    assert resolve(table, Columns(x="c")) == ("c", "b", "kind")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Columns(x="d"), "there is no column 'd' among 'length', 'width', 'kind'"),
        (Columns(y="lenght"), "the nearest is 'length'"),
        (Columns(x="width"), "expected three different columns, got 'width', 'width', 'kind'"),
        (Columns(x="<b>"), r"there is no column '\?b\?'"),
    ],
)
def test_columns_that_are_not_there_are_refused(wanted, words):
    with pytest.raises(ValueError, match=words):
        resolve(read_table("length,width,kind\n1,2,a\n3,4,b\n"), wanted)


def test_the_nearest_column_is_told_without_its_markup():
    with pytest.raises(ValueError, match=r"the nearest is '\?a\?b'"):
        resolve(read_table("*a*b,width,kind\n1,2,a\n3,4,b\n"), Columns(x="*a*"))


def test_points_and_categories_are_those_of_the_table():
    points = points_of(SMALL)
    assert (points.x.tolist(), points.label.tolist(), points.names) == ([[1.5, 2], [3, 4]], [0, 1], ("a", "b"))


def test_numbered_categories_are_sorted_as_numbers():
    assert points_of("0,0,10\n1,1,9\n2,0,nan\n").names == ("9", "10", "nan")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,y,category\n", "expected 2 to 5 categories in column 'category', got 0"),
        ("1,2,a\n3,4,a\n", "expected 2 to 5 categories in column 'column 3', got 1"),
        ("x,y,category\n" + "".join(f"1,2,{k}\n" for k in range(6)), "got 6"),
        ("x,y,category\n1,2,a\n\nthree,4,b\n", "^line 4: expected for 'x' a number from -1e6 to 1e6, got 'three'$"),
        ("x,y,category\n1,2,a\n3,nan,b\n", "^line 3: expected for 'y' a number"),
        ("x,y,category\n1,2,a\n3,1e7,b\n", "^line 3: expected for 'y' a number"),
        ("x,y,category\n1,2,a\n=1+1,2,b\n", r"^line 3: expected for 'x' a number from -1e6 to 1e6, got '\?1\+1'$"),
        ("x,y,category\n1,2,a\n,,b\n", "^line 3: expected for 'x' a number.*; line 3: expected for 'y'"),
        ("x,y,category\n1,2,a\n3,4,\n", "^line 3: expected a category of 1 to 40 characters, got 0$"),
        ("x,y,category\n1,2,a\n3,4," + "b" * 41, "got 41"),
        ("x,y,category\n" + "1,?,a\n" * 9, "line 2.*line 3.*line 4: .*; and 6 lines more$"),
        ("7,2,a\n7,4,b\n", "^expected numbers that differ in column 'column 1', got 7 everywhere$"),
    ],
    ids=range(12),
)
def test_cells_that_do_not_fit_are_named_with_their_lines(text, words):
    with pytest.raises(ValueError, match=words):
        points_of(text)


def test_a_standardised_column_has_mean_0_and_the_size_of_drawn_data():
    x = points_of("1,200,a\n2,500,b\n6,100,a\n", scaling="standardised").x
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-15)
    np.testing.assert_allclose(x.std(0), SIZE, rtol=1e-14)


def test_the_moments_are_what_maximum_likelihood_finds():
    points = cloud()
    found = moments(points)
    own = torch.as_tensor(points.x[points.label == 1])
    mean, covariance = (torch.tensor(a[1], requires_grad=True) for a in (found.means, found.covariances))
    MultivariateNormal(mean, covariance).log_prob(own).sum().backward()
    np.testing.assert_allclose(mean.grad, 0, atol=1e-9)
    np.testing.assert_allclose(covariance.grad, 0, atol=1e-9)
    assert found.raised == ()


@pytest.mark.parametrize(
    "own", [[[1.0, 2.0]], [[1.0, 2.0], [2.0, 4.0], [4.0, 8.0]]], ids=["a single point", "points on a line"]
)
@pytest.mark.parametrize("scale", [(1.0, 1.0), (1e-4, 1e4)])
def test_a_singular_category_gets_a_least_variance_relative_to_all_points(own, scale):
    rest = cloud(sizes=(40, 30))
    x = np.concatenate([rest.x, own]) * scale
    points = Sample(x, np.concatenate([rest.label, np.full(len(own), 2)]), ("a", "b", "c"))
    found = moments(points)
    spread = np.outer(x.std(0), x.std(0))
    np.testing.assert_allclose(np.linalg.eigvalsh(found.covariances[2] / spread)[0], FLOOR, rtol=1e-6)
    assert found.raised == (2,)


@given(st.integers(0, 100), *[st.sampled_from([1e-5, 1e-2, 1.0, 1e2])] * 2)
def test_from_the_start_no_point_has_density_0(seed, width, height):
    points = cloud(seed, scale=(width, height))
    places = start(points)
    means = torch.tensor([places["start_x"], places["start_y"]]).T
    model = MultivariateNormal(means, places["start_var"] * torch.eye(2))
    own = model.log_prob(torch.as_tensor(points.x, dtype=torch.float32).unsqueeze(1))[range(90), points.label]
    assert own.min() - own.max() > -80


def test_the_start_has_few_digits():
    assert start(cloud())["start_var"] == float(f"{start(cloud())['start_var']:.2g}")
    assert max(len(repr(place)) for place in start(cloud())["start_x"]) <= 4


words = st.sampled_from(["1", "2.5", "-3e5", "a", "b", "c", "", "nan", "1e7", "<b>"])


@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=12), st.sampled_from(["as-is", "standardised"]))
def test_whatever_is_in_the_cells_ends_in_finite_points_or_a_sentence(rows, scaling):
    found = outcome("x,y,category\n" + "\n".join(map(",".join, rows)), scaling)
    assert isinstance(found, str) or usable(found)


def outcome(text, scaling):
    try:
        return points_of(text, scaling=scaling)
    except ValueError as error:
        return str(error)


def usable(points):
    found, variance = moments(points), start(points)["start_var"]
    np.linalg.cholesky(found.covariances)
    return np.isfinite(points.x).all() and limits.VARIANCE.holds(variance) and math.isfinite(found.means.sum())
