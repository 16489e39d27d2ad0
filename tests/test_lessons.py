"""The lessons: how their files are read, and how an address opens one."""

import pytest

from covdemo.config import RunConfig, to_query
from covdemo.lessons import complete, lessons, named, parse

FILE = "title: A title\nsettings: lr_cov=1e-5&epochs=2\nlook at: the loss.\n\nA text\nin lines.\n"


def test_a_file_is_read():
    lesson = parse("key", FILE)
    assert (lesson.key, lesson.title, lesson.look_at, lesson.text) == ("key", "A title", "the loss.", "A text in lines.")
    assert lesson.config == RunConfig(lr_cov=1e-5, epochs=2)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("title: A title\n", "", "expected lines for look at, settings, title"),
        ("look at", "look", "expected lines for look at, settings, title"),
        ("title: A title\n", "title: A title\ntitle: B\n", "expected lines for look at, settings, title"),
        ("A text\nin lines.\n", "", "and then a text in lesson key"),
        ("lr_cov", "lr_vco", "there is no setting of this name, the nearest is lr_cov"),
        ("1e-5", "-1", "expected settings without problems in lesson key"),
        ("lr_cov=1e-5&epochs=2", "nonsense", "bad query field"),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(old, new, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse("key", FILE.replace(old, new))


def test_there_are_eight_lessons_in_the_order_of_their_files():
    assert list(lessons()) == [
        "the-question",
        "slower-is-not-safer",
        "the-accepted-answer",
        "the-correct-start",
        "log-cholesky",
        "the-step-that-cannot-fail",
        "the-boundary",
        "momentum",
    ]


@pytest.mark.parametrize("key", lessons())
def test_every_lesson_is_about_the_settings_that_its_run_differs_in(key):
    assert set(to_query(lessons()[key].config)) <= set(lessons()[key].query)


@pytest.mark.parametrize("key", lessons())
def test_a_lesson_is_short(key):
    assert len(lessons()[key].text.split()) < 80


def test_an_address_names_a_lesson():
    assert named({"lesson": ["momentum"], "lr_cov": ["1"]}) == (lessons()["momentum"], [])


@pytest.mark.parametrize("query", [{}, {"lr_cov": "1"}, {"lesson": []}])
def test_an_address_without_a_lesson_opens_none(query):
    assert named(query) == (None, [])


def test_an_unknown_lesson_is_told_with_the_nearest():
    found, (problem,) = named({"lesson": "momentun"})
    assert found is None
    assert problem.sentence == "Lesson: there is no lesson 'momentun', the nearest is momentum; none is opened."


def test_of_several_lessons_the_last_counts_and_this_is_told():
    found, (problem,) = named({"lesson": ["momentum", "log-cholesky"]})
    assert found == lessons()["log-cholesky"]
    assert problem.sentence == "Lesson: given 2 times instead of once; the last is used."


def test_what_an_address_sets_itself_counts_before_what_its_lesson_sets():
    query = {"lesson": ["momentum"], "momentum": ["0"]}
    assert complete(query) == {"momentum": ["0"], "lr_cov": "0.00003", "lesson": ["momentum"]}


@pytest.mark.parametrize("query", [{"lr_cov": "1"}, {"lesson": "nonsense", "lr_cov": "1"}])
def test_without_a_lesson_an_address_stays_as_it_is(query):
    assert complete(query) == query
