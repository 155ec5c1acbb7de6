"""The plain spelling equals big_vision's."""

import json
from pathlib import Path

import pytest

from lit.prompts import canonicalize

CASES = json.loads((Path(__file__).parent / "data" / "tokens" / "canonicalize.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[ascii(case["text"]) for case in CASES])
def test_every_case(case):
    assert canonicalize(case["text"]) == case["plain"]
    assert canonicalize(case["text"], keep="{}") == case["keep_braces"]
    assert canonicalize(case["text"], keep=",") == case["keep_comma"]
