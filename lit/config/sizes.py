"""The published sizes of transformers: width, depth, mlp_dim, num_heads."""

from collections.abc import Mapping

from lit.errors import UnknownNameError

#: Source: Ti, S: arXiv 2012.12877 (DeiT), table 1; B, L, H: arXiv 2010.11929 (ViT),
#: table 1; g: arXiv 2106.04560 (Scaling Vision Transformers), table 2.  mu is big_vision's, for tests.
TRANSFORMERS = {
    "mu": (32, 1, 128, 2),
    "Ti": (192, 12, 768, 3),
    "S": (384, 12, 1536, 6),
    "B": (768, 12, 3072, 12),
    "L": (1024, 24, 4096, 16),
    "H": (1280, 32, 5120, 16),
    "g": (1408, 40, 6144, 16),
}

#: Source: base, large: arXiv 1810.04805 (BERT), section 3; MiniLM 6 x 384: arXiv
#: 2002.10957, and config.json of all-MiniLM-L6-v2.
BERTS = {
    "base": (768, 12, 3072, 12),
    "large": (1024, 24, 4096, 16),
    "minilm-6x384": (384, 6, 1536, 12),
}


def fields(kind: str, size: str, table: Mapping[str, tuple[int, int, int, int]]) -> dict[str, int]:
    """The four fields of a published size, by name.

    Raises:
      UnknownNameError: the table has no such size; `kind` says what it should have been.
    """
    if size not in table:
        raise UnknownNameError(kind, size, table)
    return dict(zip(("width", "depth", "mlp_dim", "num_heads"), table[size], strict=True))
