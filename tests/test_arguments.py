import os

import pytest

from covdemo.arguments import BadArgument, check_target


def test_a_target_that_is_there_already_keeps_what_it_holds(tmp_path):
    (tmp_path / "old").write_text("kept")
    check_target("--final", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "kept"


def test_a_new_target_leaves_nothing_behind_but_the_link_that_leads_to_it(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "new")
    check_target("--final", tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_opened_before_there_is_something_to_write(tmp_path):
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a reader
    check_target("--final", tmp_path / "pipe")


@pytest.mark.parametrize("name", [".", "no/such/folder", "too long" * 100], ids=["folder", "no folder", "too long"])
def test_a_target_that_cannot_be_written_is_refused_by_the_name_of_its_flag(tmp_path, name):
    with pytest.raises(BadArgument, match="--final: the file cannot be written"):
        check_target("--final", tmp_path / name)
