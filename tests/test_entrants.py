import pytest
from hypothesis import given
from hypothesis import strategies as st

from covdemo.config import RunConfig
from covdemo.entrants import DEFAULT, MOST, Entrant, named, read, write
from covdemo.limits import RATE
from covdemo.parameterizations import PARAMETERIZATIONS

ENTRANTS = st.lists(
    st.builds(Entrant, st.sampled_from(list(PARAMETERIZATIONS)), st.none() | st.floats(RATE.low, RATE.high)),
    max_size=MOST,
    unique_by=lambda entrant: entrant.key,
).map(tuple)


@given(ENTRANTS)
def test_what_is_written_is_read_back_exactly(entrants):
    assert read(write(entrants)) == (entrants, [])


@given(st.text())
def test_no_text_raises_or_names_too_many(text):
    entrants, _ = read(text)
    assert len(entrants) <= MOST


def test_the_default_begins_with_the_question_and_its_accepted_answer():
    assert [entrant.key for entrant in DEFAULT[:2]] == ["covariance", "tril-as-posted"]
    assert read(write(DEFAULT)) == (DEFAULT, [])


@pytest.mark.parametrize(
    ("text", "left", "sentence"),
    [
        ("tril,tril", 1, "Methods to compare: tril is given 2 times instead of once; the first is used."),
        ("tril,tril@1,tril", 1, "Methods to compare: tril is given 3 times instead of once; the first is used."),
        ("tril,log-colesky", 1, "'log-colesky' is not one of covariance, precision"),
        ("log-colesky", 0, "the nearest is log-cholesky; it is left out."),
        ("tril@fast", 1, "tril: 'fast' is not a number from 0"),
        ("tril@-1", 1, "the rate of all others is used."),
        (",".join(list(PARAMETERIZATIONS)[:7]), 6, "is one too many, at most 6 are possible; it is left out."),
        ("<b>", 0, "'?b?' is not one of"),
    ],
)
def test_what_cannot_be_used_is_said(text, left, sentence):
    entrants, (problem,) = read(text)
    assert len(entrants) == left
    assert sentence in problem.sentence


@pytest.mark.parametrize("query", [{}, {"compare": []}])
def test_an_address_that_names_no_methods_means_the_default(query):
    assert named(query) == (DEFAULT, [])


def test_of_several_texts_in_an_address_the_last_counts_and_all_that_is_wrong_is_told():
    found, problems = named({"compare": ["tril", "spherical@fast"]})
    assert found == (Entrant("spherical"),)
    assert [problem.remedy for problem in problems] == ["the last is used", "the rate of all others is used"]


@pytest.mark.parametrize("word", ["a", "tril"])
def test_a_flood_of_names_is_answered_in_a_few_sentences(word):
    _, problems = read(",".join([word] * 25_000))
    assert len(problems) <= 2 * MOST + 1
    assert problems[-1].fault == "24,988 names more are given, at most 6 are possible"


def test_a_method_shares_all_settings_but_its_own():
    shared = RunConfig(lr_cov=1e-4, momentum=0.5)
    assert Entrant("tril").config(shared) == RunConfig(lr_cov=1e-4, momentum=0.5, parameterization="tril")
    assert Entrant("tril", 0.01).config(shared).lr_cov == 0.01
