"""The files that `lit embed` writes: `.npz` (`numpy.load`) and `.parquet` (`pandas.read_parquet`).

| npz           | parquet     |                                                                        |
|---------------|-------------|------------------------------------------------------------------------|
| `paths`       | `path`      | as found                                                               |
| `sha256`      | `sha256`    | of the picture's bytes, hex                                            |
| `embeddings`  | `embedding` | (images, dim) float32, rows of unit norm                               |
| `made_by`     | metadata    | JSON: model, precision, fingerprint, dim (parquet: schema, key `lit`)  |
"""

import dataclasses
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from lit.arrays import DAMAGED_NPZ
from lit.cli.output import replacing
from lit.cli.partial import MadeBy
from lit.errors import MissingExtraError, OutputError

SUFFIXES = (".npz", ".parquet")
#: Rows in memory at once while a file is written; also Parquet's row group.
_ROWS = 16_384

Rows = Callable[[Sequence[bytes]], Float32[np.ndarray, "images dim"]]


def require_writer(path: Path) -> None:
    """Raises `MissingExtraError` before the work rather than after it."""
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def write(path: Path, made_by: MadeBy, paths: Sequence[str], sha256: Sequence[bytes], rows: Rows) -> None:
    """Writes a file, whole or not at all, in bounded memory.

    Args:
      path: its suffix decides the format.
      made_by: the model.
      paths: one for each row.
      sha256: of the pictures' bytes, 32 bytes each.
      rows: gives the embeddings for digests.

    Raises:
      OutputError: the system refused.
    """
    # A name that is not valid Unicode (a byte of an older encoding) is written with escapes.
    shown = [p.encode("utf-8", "backslashreplace").decode() for p in paths]
    parts = (slice(at, at + _ROWS) for at in range(0, len(paths), _ROWS))
    with replacing(path) as temporary:
        if path.suffix.lower() == ".parquet":
            _write_parquet(temporary, made_by, shown, sha256, rows, parts)
        else:
            _write_npz(temporary, made_by, shown, sha256, rows, parts)


def read(path: Path) -> tuple[str, Iterator[tuple[list[bytes], Float32[np.ndarray, "images dim"]]]] | None:
    """The fingerprint in a finished file, and its rows in parts; None where the file is not one of ours."""
    try:
        return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_npz(path)
    except OSError as error:
        raise OutputError(f"{path} is there and cannot be read: {error.strerror or error}.") from error
    except DAMAGED_NPZ:
        return None


def _said(made_by: MadeBy) -> str:
    return json.dumps(dataclasses.asdict(made_by))


def _write_npz(
    file: Path, made_by: MadeBy, paths: list[str], sha256: Sequence[bytes], rows: Rows, parts: Iterator[slice]
) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in (
            ("made_by", np.array(_said(made_by))),
            ("paths", np.array(paths, dtype=np.str_)),
            ("sha256", np.array([digest.hex() for digest in sha256], dtype=np.str_)),
        ):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        with archive.open("embeddings.npy", "w", force_zip64=True) as member:
            shape = {"descr": "<f4", "fortran_order": False, "shape": (len(paths), made_by.dim)}
            np.lib.format.write_array_header_1_0(member, shape)  # pyright: ignore[reportArgumentType]
            for part in parts:
                member.write(rows(sha256[part]).tobytes())


def _read_npz(path: Path) -> tuple[str, Iterator[tuple[list[bytes], np.ndarray]]]:
    # Opened here: numpy leaves a file that it cannot read to the garbage collector.
    with path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise ValueError("a single array")
        with loaded as archive:
            said = json.loads(archive["made_by"].item())["fingerprint"]
            digests = [bytes.fromhex(digest) for digest in archive["sha256"].tolist()]
            return said, iter([(digests, archive["embeddings"])])


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("writing Parquet", "parquet") from error
    return pyarrow


def _write_parquet(
    file: Path, made_by: MadeBy, paths: list[str], sha256: Sequence[bytes], rows: Rows, parts: Iterator[slice]
) -> None:
    pa = _pyarrow()
    vector = pa.list_(pa.float32(), made_by.dim)
    fields = [("path", pa.string()), ("sha256", pa.string()), ("embedding", vector)]
    schema = pa.schema(fields, metadata={"lit": _said(made_by)})
    with pa.parquet.ParquetWriter(file, schema) as writer:
        for part in parts:
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows(sha256[part]).ravel()), type=vector)
            columns = [paths[part], [digest.hex() for digest in sha256[part]], vectors]
            writer.write_table(pa.table(columns, schema=schema))


def _read_parquet(path: Path) -> tuple[str, Iterator[tuple[list[bytes], np.ndarray]]]:
    file = _pyarrow().parquet.ParquetFile(path)
    said = json.loads((file.schema_arrow.metadata or {})[b"lit"])

    def parts() -> Iterator[tuple[list[bytes], np.ndarray]]:
        for batch in file.iter_batches(_ROWS, columns=["sha256", "embedding"]):
            flat = batch.column(1).flatten().to_numpy(zero_copy_only=False)
            yield [bytes.fromhex(d) for d in batch.column(0).to_pylist()], flat.reshape(-1, said["dim"])

    return said["fingerprint"], parts()
