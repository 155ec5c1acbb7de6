"""Files that are written whole or not at all, and lines for other programs."""

import pytest

from lit.cli.output import check_target, emit_row, replacing
from lit.errors import OutputError


def test_the_file_appears_when_the_block_succeeds(tmp_path):
    with replacing(tmp_path / "a.png") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "a.png").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_exception_leaves_what_was_there(tmp_path, error):
    (tmp_path / "a.png").write_text("old")

    def write_half():
        with replacing(tmp_path / "a.png") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert (tmp_path / "a.png").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is a folder; name a file in it, such as .*result.npz"),
        ("a.txt", r"has the suffix '.txt'; it must be one of .npz, .parquet"),
        ("a", "has the suffix ''"),
        ("no/a.npz", "there is no folder .*no; make it first"),
    ],
)
def test_targets_that_cannot_be_written_are_known_before_the_work(tmp_path, name, message):
    with pytest.raises(OutputError, match=message):
        check_target(tmp_path / name, (".npz", ".parquet"))


def test_a_cell_never_breaks_the_line(capsys):
    emit_row("a\tb", "c\nd", 1)
    assert capsys.readouterr().out == "a b\tc d\t1\n"
