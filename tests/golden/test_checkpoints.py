"""Files of the original code, read."""

import re

import numpy as np
import pytest
from golden_towers import DATA, recorded

from lit.checkpoints import load_npz
from lit.checkpoints.resample import resample


def test_historical_names():
    """Names, shapes and types exactly; the sum in float64 of at most 15,760 float32 values exactly, too."""
    flat = load_npz(DATA / "old_names.npz")
    expected = {}
    for line in (DATA / "old_names_expected.txt").read_text().splitlines():
        name, shape, dtype, total = re.fullmatch(r"(\S+) \((.*)\) (\S+) (\S+)", line).groups()
        expected[name] = tuple(int(s) for s in shape.split(",") if s.strip()), dtype, float(total)
    assert {n: (a.shape, str(a.dtype), float(a.sum(dtype=np.float64))) for n, a in flat.items()} == expected


INTERPOLATED = sorted(k.removesuffix("/in") for k in recorded("vit") if k.startswith("interp/") and k.endswith("/in"))


@pytest.mark.parametrize("case", INTERPOLATED)
def test_position_embeddings(case):
    """Bit for bit: both interpolate in float64 and round once."""
    golden = recorded("vit")
    want = golden[f"{case}/out"]
    np.testing.assert_array_equal(resample(golden[f"{case}/in"], want.shape[1]), want)
