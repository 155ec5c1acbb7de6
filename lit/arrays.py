"""The names of axes, fixed once for the whole project, and the array types that public functions speak.

| axis                 | meaning                                                          |
|----------------------|------------------------------------------------------------------|
| `batch`              | items that are computed together, padding included               |
| `images` `texts`     | items that the caller handed in                                  |
| `classes` `prompts`  | labels; texts for one label                                      |
| `patches` `tokens`   | positions of an image's patch grid; of a text                    |
| `heads` `features`   | attention heads; a tower's inner width                           |
| `dim`                | the embedding space that both towers share                       |
| `h` `w`              | pixels, rows and columns                                         |

numpy stands at the border, JAX inside: a type with `np.ndarray` is what a user sees.
"""

import tokenize
import zipfile
import zlib

import numpy as np
from jaxtyping import Float32, Int32, UInt8

#: One picture as 8-bit RGB.
Picture = UInt8[np.ndarray, "h w 3"]
#: Pictures of one size, resized but not yet mapped to the value range.
Pixels8 = UInt8[np.ndarray, "images h w 3"]
#: What an image tower takes: float32 in the value range of its `PreprocessConfig`, [-1, 1] for LiT.
Pixels = Float32[np.ndarray, "images h w 3"]
#: What a text tower takes: int32 ids, one row a text, `context_length` columns.
TokenIds = Int32[np.ndarray, "texts tokens"]
#: Embeddings: float32, every row of unit L2 norm.
ImageEmbeddings = Float32[np.ndarray, "images dim"]
#: Embeddings: float32, every row of unit L2 norm.
TextEmbeddings = Float32[np.ndarray, "texts dim"]

#: What numpy raises as it reads an npz that is damaged.  RuntimeError and its child NotImplementedError: a flipped bit
#: can say "encrypted", or name a method that zip lacks; TokenError: it can open a bracket in an array's header.
DAMAGED_NPZ = (
    ValueError, EOFError, KeyError, OSError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
