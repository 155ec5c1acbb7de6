"""Finds the files that travel with lit: prompts, suites and the embedded model.

A wheel carries `prompts/` and `eval/suites/` as `lit/_data/...`; a checkout has them at its top level.  A user's own
prompts or suite is a path, not a place in a search order.
"""

from pathlib import Path
from typing import Literal

from lit.errors import ResourceNotFoundError

_PACKAGE = Path(__file__).parent
_PLACES = {
    "prompts": (_PACKAGE / "_data" / "prompts", _PACKAGE.parent / "prompts"),
    "suites": (_PACKAGE / "_data" / "suites", _PACKAGE.parent / "eval" / "suites"),
    "embedded": (_PACKAGE / "embedded",),
}


def directory(kind: Literal["prompts", "suites", "embedded"]) -> Path:
    """The folder that holds a kind of data.

    Raises:
      ResourceNotFoundError: the installation lacks it; the message lists where it was looked for.
    """
    for place in _PLACES[kind]:
        if place.is_dir():
            return place
    looked = ", ".join(map(str, _PLACES[kind]))
    raise ResourceNotFoundError(
        f"this installation lacks its folder {kind!r} (looked for {looked}); install lit-jax again."
    )
