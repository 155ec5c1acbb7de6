"""Pictures from anywhere to the 8-bit pixels that a model was trained on.  numpy, Pillow and simplejpeg; no JAX.

What a picture may be, and what becomes of it:

| given                                 | becomes                                                                     |
|---------------------------------------|-----------------------------------------------------------------------------|
| path, bytes, binary file object       | decoded; turned as its EXIF orientation says, unless `config.exif` is False |
| JPEG                                  | decoded as `config.jpeg` says; CMYK likewise, Adobe's inversion included    |
| animation (GIF, WebP, APNG), TIFF     | its first frame                                                             |
| PIL image                             | its current frame; turned by EXIF only if it comes straight from a file     |
| alpha, or a transparent colour        | laid over white                                                             |
| grey, palette, 1 bit, YCbCr, HSV      | RGB                                                                         |
| 16-bit grey (PNG, TIFF, PGM)          | divided by 257 and rounded                                                  |
| float TIFF, Pillow's mode F           | [0, 1] to [0, 255], as arrays                                               |
| numpy uint8                           | taken as it is                                                              |
| numpy bool; uint16                    | 0 and 255; divided by 257 and rounded                                       |
| numpy float16, float32, float64       | [0, 1] to [0, 255], rounded                                                 |
| other numpy integers                  | taken as they are where all lie in [0, 255]                                 |

Arrays are (h, w), (h, w, 1), (h, w, 3) or (h, w, 4): grey, grey, RGB, RGBA.  ICC profiles are ignored, as TF and most
training pipelines ignore them.  Everything else is an `ImageError` that names the item and says what to do.

TF and Pillow drop alpha and show whatever colour a transparent pixel happens to store, often black; people see such
pictures on a page.  For opaque pictures there is no difference.
"""

from lit.images.decode import ImageInput, decode
from lit.images.find import SUFFIXES, find_images
from lit.images.preprocess import preprocess, to_range
from lit.images.resize import resize
from lit.images.stream import iter_preprocessed, preprocess_batch

__all__ = [
    "SUFFIXES",
    "ImageInput",
    "decode",
    "find_images",
    "iter_preprocessed",
    "preprocess",
    "preprocess_batch",
    "resize",
    "to_range",
]
