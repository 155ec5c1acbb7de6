"""The hierarchy is as drawn, and messages say what to do."""

import builtins
import inspect
import re

import pytest

import lit.errors as errors
from lit.errors import ImageError, MissingExtraError, ParamsMismatchError, UnknownNameError


def test_the_drawing_is_the_hierarchy():
    drawn = set(re.findall(r"\+- (\w+Error)", errors.__doc__)) | {"LitError"}
    defined = {n for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, errors.LitError)}
    assert drawn == defined
    for name, parent in re.findall(r"\+- (\w+Error) \((\w+)\)", errors.__doc__):
        assert issubclass(vars(errors)[name], vars(builtins)[parent])


def test_unknown_name_suggests_and_lists():
    error = UnknownNameError("model", "lit-b16b", ["LiT-B16B", "LiT-L16L"], hint="A directory works too.")
    assert str(error) == (
        "unknown model 'lit-b16b'. Did you mean 'LiT-B16B'? Known: LiT-B16B, LiT-L16L. A directory works too."
    )
    assert isinstance(error, LookupError)
    assert "Did you mean" not in str(UnknownNameError("model", "zzz", ["LiT-B16B"]))


def test_unknown_name_that_is_no_string():
    """What a user may pass; the hint, which is checked in tests alone, says str."""
    error = UnknownNameError.__new__(UnknownNameError)
    inspect.unwrap(UnknownNameError.__init__)(error, "engine", None, ["xla"])
    assert str(error) == "unknown engine None. Known: xla."


def test_params_mismatch_says_everything_at_once():
    error = ParamsMismatchError("x.npz", missing=["a"], unexpected=["b", "c"], wrong_shape={"d": ((1,), (2,))})
    assert error.missing == ("a",)
    assert error.unexpected == ("b", "c")
    for part in (
        "x.npz",
        "1 missing: a",
        "2 unexpected: b, c",
        "d is (1,), needs (2,)",
        "nothing was loaded",
    ):
        assert part in str(error)


def test_image_error_names_the_item():
    assert str(ImageError("is empty", item="cat.jpg", index=3)) == "cat.jpg (item 3): is empty"


@pytest.mark.parametrize("item", ["two\nlines.jpg", "red\x1b[31m.jpg", "a\udcff.jpg", ""])
def test_image_error_stays_on_one_line_and_can_be_printed(item):
    error = ImageError("is empty", item=item)
    assert error.item == item
    assert str(error) == f"{item!r}: is empty"
    assert str(error).isprintable()


def test_missing_extra_is_a_pip_line():
    with pytest.raises(ImportError, match=re.escape("pip install 'lit-jax[parquet]'")):
        raise MissingExtraError("writing Parquet", "parquet")
