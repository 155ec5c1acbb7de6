"""Every kind of table gives the same rows, and says where each is."""

import json

import pyarrow as pa
import pyarrow.parquet
import pytest

from lit.datasets import tables
from lit.errors import DatasetError

ROWS = [{"image": "a.png", "text": "a cat"}, {"image": "b.png", "text": "two\tdogs, one\nbone"}]


def write(path):
    names, texts = list(ROWS[0]), ['"' + row["text"] + '"' for row in ROWS]
    separator = {".csv": ",", ".tsv": "\t"}.get(path.suffix)
    if separator:
        lines = [names, *([row["image"], text] for row, text in zip(ROWS, texts, strict=True))]
        path.write_text("".join(separator.join(line) + "\n" for line in lines))
    elif path.suffix == ".jsonl":
        path.write_text("\n\n".join(map(json.dumps, ROWS)))
    else:
        pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("suffix", tables.SUFFIXES)
def test_the_same_rows(tmp_path, suffix):
    where, rows = zip(*tables.table_rows(write(tmp_path / f"pairs{suffix}")), strict=True)
    assert list(rows) == ROWS
    # Of a cell with line breaks the last line counts; empty lines are lines.
    assert where == {".jsonl": ("line 1", "line 3"), ".parquet": ("row 1", "row 2")}.get(suffix, ("line 2", "line 4"))


@pytest.mark.parametrize("suffix", tables.SUFFIXES)
def test_a_table_that_is_not_there(tmp_path, suffix):
    with pytest.raises(DatasetError, match=rf"none{suffix} could not be read"):
        list(tables.table_rows(tmp_path / f"none{suffix}"))
