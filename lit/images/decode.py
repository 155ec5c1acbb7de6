"""Whatever a caller hands in, as 8-bit RGB."""

import os
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from lit.arrays import Picture
from lit.config import PreprocessConfig
from lit.errors import ImageError
from lit.images import pillow
from lit.images.arrays import from_array
from lit.images.jpeg import decode_jpeg, is_jpeg
from lit.images.workspace import Workspace

if TYPE_CHECKING:
    #: A path, a file's content, a binary file object, a PIL image, or an array (see the table in `lit.images`).
    ImageInput: TypeAlias = (
        str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image.Image | np.ndarray
    )
else:
    # Anything may come at run time; what it should have been is said by an ImageError that names the item.
    ImageInput = Any


def decode(image: ImageInput, config: PreprocessConfig, *, workspace: Workspace | None = None) -> Picture:
    """A picture from anywhere; what each kind of input becomes is the table of `lit.images`.

    Args:
      image: a path, a file's content, a binary file object (read to its end), a PIL image, or an array.
      config: its `jpeg` and `exif` are used.
      workspace: memory that may be used again; the result is then valid until the next call.

    Returns:
      (h, w, 3) uint8, not always contiguous; the caller's own array where that is already one.

    Raises:
      ImageError: it cannot be used; the error names it.
    """
    item = describe(image)
    if isinstance(image, str | os.PathLike):
        return _decode_bytes(_read_path(image, item), config, item, workspace)
    if isinstance(image, bytes | bytearray | memoryview):
        return _decode_bytes(_as_bytes(image), config, item, workspace)
    if isinstance(image, Image.Image):
        return pillow.from_image(image, exif=config.exif, item=item)
    if isinstance(image, np.ndarray | np.generic):
        return from_array(np.asarray(image), item=item)
    if hasattr(image, "read"):
        return _decode_bytes(_read_file(image, item), config, item, workspace)
    if hasattr(image, "__array__"):  # JAX, torch on the CPU
        return from_array(np.asarray(image), item=item)
    raise ImageError(
        f"it is of type {type(image).__name__}, which is no picture; hand in a path, bytes, a file object, a PIL image "
        "or an array.",
        item=item,
    )


def describe(image: ImageInput) -> str:
    """How messages name a picture: its path, or what was handed in."""
    if isinstance(image, str | os.PathLike):
        return os.fspath(image)
    if isinstance(image, bytes | bytearray | memoryview):
        return f"<{memoryview(image).nbytes:,} bytes>"
    if isinstance(image, Image.Image):
        return str(getattr(image, "filename", "") or f"<PIL image {image.mode} {image.width} x {image.height}>")
    if isinstance(image, np.ndarray | np.generic) or hasattr(image, "__array__"):
        array = np.asarray(image)
        return f"<{array.dtype} array {array.shape}>"
    name = getattr(image, "name", None)
    return name if isinstance(name, str) and name else f"<{type(image).__name__}>"


def _decode_bytes(
    data: bytes | memoryview, config: PreprocessConfig, item: str, workspace: Workspace | None
) -> Picture:
    if is_jpeg(data):
        return decode_jpeg(data, dct=config.jpeg, exif=config.exif, item=item, workspace=workspace)
    return pillow.decode_bytes(data, exif=config.exif, item=item)


def _as_bytes(data: bytes | bytearray | memoryview) -> memoryview:
    """One dimension of bytes, whatever the shape of the buffer."""
    view = memoryview(data)
    return view.cast("B") if view.c_contiguous else memoryview(view.tobytes())


def _read_path(path: str | os.PathLike[str], item: str) -> bytes:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path("") is the current folder
        if stat.S_ISDIR(mode):
            raise ImageError("it is a folder; lit.images.find_images lists the pictures in it.", item=item)
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
            raise ImageError("it is a device or a socket, not a file.", item=item)
        return Path(path).read_bytes()
    except ImageError:  # a ValueError, as the last one below
        raise
    except FileNotFoundError as error:
        hint = "; download it first" if item.startswith(("http:", "https:")) else ""
        raise ImageError(f"there is no such file{hint}.", item=item) from error
    except PermissionError as error:
        raise ImageError("it may not be read: permission denied.", item=item) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ImageError(f"it cannot be read: {error}.", item=item) from error


def _read_file(file: Any, item: str) -> bytes:
    try:
        data = file.read()
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError, as is reading a closed file
        raise ImageError(f"it cannot be read: {error}.", item=item) from error
    if not isinstance(data, bytes):
        raise ImageError(f"reading it gave {type(data).__name__}; open the file with mode 'rb'.", item=item)
    return data
