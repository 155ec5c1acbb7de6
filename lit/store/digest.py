"""What names a picture: its content, not its place."""

import hashlib

import numpy as np

#: Bytes of a SHA-256.
DIGEST = 32


def digest_of(content: bytes | np.ndarray) -> bytes:
    """SHA-256 of a picture as it is stored.

    Args:
      content: a file's bytes, as they are; or pixels, of which type and shape count too: the same bytes can be a wide
        picture or a tall one.
    """
    if isinstance(content, np.ndarray):
        digest = hashlib.sha256(f"{content.dtype.str} {content.shape}\n".encode())
        digest.update(np.ascontiguousarray(content).view(np.uint8).reshape(-1).data)
        return digest.digest()
    return hashlib.sha256(content).digest()
