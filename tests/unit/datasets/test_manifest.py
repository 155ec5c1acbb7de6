"""CSV, TSV, JSON lines and Parquet."""

import json
import sys

import pytest
from prepared import png

from lit.datasets import Dataset, manifest_dataset
from lit.errors import DatasetError, MissingExtraError

MIXED = '{"image": "a", "label": 1}\n{"image": "b", "label": "x"}'


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def rows(data):
    return [(e.id, e.labels, e.texts) for e in data.examples()]


def test_csv_with_names(tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    data = manifest_dataset(write(tmp_path / "m.csv", '\ufeffimage,label\na.png,zebra\n"b, c.png",ape\nsub/c.png,\n'))
    assert isinstance(data, Dataset)
    assert data.label_names == ("ape", "zebra")
    assert rows(data) == [("a.png", (1,), ()), ("b, c.png", (0,), ()), ("sub/c.png", (), ())]
    assert [e.image for e in data.examples(1, 2)] == [tmp_path / "b, c.png"]
    assert (data.description["source"], data.description["label names"]) == ("local files", "the names that occur")


def test_csv_with_numbers(tmp_path):
    data = manifest_dataset(write(tmp_path / "m.csv", "image,label\na,10\nb,2\n"))
    assert data.label_names is None
    assert rows(data) == [("a", (10,), ()), ("b", (2,), ())]
    mixed = manifest_dataset(write(tmp_path / "n.csv", "image,label\na,10\nb,two\n"))
    assert mixed.label_names == ("10", "two")


def test_tsv_with_other_columns_and_given_names(tmp_path):
    path = write(tmp_path / "m.tsv", "key\tfile\tclass\n1\ta, b\tx\n2\tc\ty\n")
    data = manifest_dataset(path, image="file", label="class", identity="key", label_names=["z", "y", "x"])
    assert data.label_names == ("z", "y", "x")
    assert rows(data) == [("1", (2,), ()), ("2", (1,), ())]
    assert data.fingerprint != manifest_dataset(path, image="file", label="class", identity="key").fingerprint


def test_class_names_beside_the_manifest(tmp_path):
    write(tmp_path / "classnames.txt", "zebra\nape\n\n")
    path = write(tmp_path / "m.csv", "image,label\na,ape\nb,zebra\n")
    assert manifest_dataset(path).label_names == ("zebra", "ape")
    assert rows(manifest_dataset(path)) == [("a", (1,), ()), ("b", (0,), ())]
    with pytest.raises(
        DatasetError, match=r"m.csv, line 3: label 2 is out of range; there are 2 label names \(0 to 1\)"
    ):
        manifest_dataset(write(path, "image,label\na,1\nb,2\n"))
    with pytest.raises(DatasetError, match="line 2: the label 'apes' is none of the 2 label names"):
        manifest_dataset(write(path, "image,label\na,apes\n"))
    write(tmp_path / "classnames.txt", "zebra\nzebra\n")
    with pytest.raises(DatasetError, match=r"classnames.txt names a class twice: 'zebra'"):
        manifest_dataset(path)


def test_several_captions(tmp_path):
    """CSV has no lists: there, a picture has several rows."""
    expected = [("a", (), ("one", "two\nlines")), ("b", (), ("three",))]
    assert rows(manifest_dataset(write(tmp_path / "m.csv", 'image,text\na,one\nb,three\na,"two\nlines"\n'))) == expected
    lines = [{"image": "a", "texts": ["one", "two\nlines"]}, {"image": "b", "texts": "three"}]
    assert rows(manifest_dataset(write(tmp_path / "m.jsonl", "\n\n".join(map(json.dumps, lines))))) == expected
    named = manifest_dataset(tmp_path / "m.csv", captions="text", label="")
    assert rows(named) == expected


def test_json_lines_with_several_labels(tmp_path):
    lines = [{"image": "a", "label": [2, 0, 2]}, {"image": "b", "label": 1}, {"image": "c", "label": None}]
    data = manifest_dataset(write(tmp_path / "m.jsonl", "\n".join(map(json.dumps, lines))))
    assert rows(data) == [("a", (2, 0), ()), ("b", (1,), ()), ("c", (), ())]


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table({"image": ["a", "b"], "label": [["x"], ["y", "x"]], "texts": [["one", "two"], None]})
    pq.write_table(table, tmp_path / "m.parquet")
    data = manifest_dataset(tmp_path / "m.parquet")
    assert data.label_names == ("x", "y")
    assert rows(data) == [("a", (0,), ("one", "two")), ("b", (1, 0), ())]
    with pytest.raises(DatasetError, match="there is no column 'picture'; there are 'image', 'label', 'texts'"):
        manifest_dataset(tmp_path / "m.parquet", image="picture")
    (tmp_path / "m.parquet").write_bytes((tmp_path / "m.parquet").read_bytes()[:-20])
    with pytest.raises(DatasetError, match="could not be read"):
        manifest_dataset(tmp_path / "m.parquet")


def test_parquet_without_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lit-jax\[parquet\]'"):
        manifest_dataset(write(tmp_path / "m.parquet", ""))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("m.csv", "image,label\na,x\nb\n", "line 3: 1 cells; the header has 2"),
        ("m.csv", 'image,label\n"a\nb",x\n,y\n', "line 4: 'image' is ''"),
        ("m.csv", "image,label\na,x\na,x\n", "line 3: 'a' is there already"),
        ("m.csv", "image,text,label\na,one,x\na,two,y\n", "line 3: 'a' is there already"),
        ("m.csv", "file,label\na,x\n", "line 2: there is no column 'image'; there are 'file', 'label'"),
        ("m.csv", "image,class\na,x\n", "there is no column 'label'"),
        ("m.csv", "image,label\n", "has no rows"),
        ("m.csv", "", "has no rows"),
        ("m.csv", 'image,label\n"a,x\n', "could not be read up to line 2: .* quotation mark not closed"),
        ("m.csv", f"image,label\na,x\nb,{'y' * 200_000}\n", "could not be read up to line 3: field larger than"),
        ("m.csv", "image,text,label,text\na,one,x,two\n", "line 1: the column 'text' is there twice"),
        ("m.jsonl", '{"image": "a", "label": 0}\n' + "[" * 100_000, "line 2 is not JSON"),
        ("m.jsonl", '{"image": "a", "label": 0}\n{"image": ', "line 2 is not JSON"),
        ("m.jsonl", "[1]", "line 1 is .1.; each line should be an object"),
        ("m.jsonl", '{"image": "a", "label": true}', "a label is a name or a whole number"),
        ("m.jsonl", '{"image": "a", "label": 1.5}', "a label is a name or a whole number"),
        ("m.jsonl", '{"image": "a", "label": -1}', "label -1 is out of range"),
        ("m.jsonl", '{"image": 7, "label": 1}', "should be the path of a picture"),
        ("m.jsonl", '{"image": "a", "texts": [1]}', "captions are text"),
        ("m.jsonl", MIXED, r"names \(.*line 2\) and numbers \(.*line 1\)"),
        ("m.txt", "", "a manifest ends in .csv, .tsv, .jsonl, .parquet"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path, name, text, says):
    with pytest.raises(DatasetError, match=says):
        manifest_dataset(write(tmp_path / name, text))


def test_other_encodings_and_missing_files(tmp_path):
    (tmp_path / "m.csv").write_bytes("image,label\na,é\n".encode("latin-1"))
    for path in (tmp_path / "m.csv", tmp_path / "nowhere.csv"):
        with pytest.raises(DatasetError, match="could not be read"):
            manifest_dataset(path)


def test_the_fingerprint_tells_a_changed_picture(tmp_path):
    path = write(tmp_path / "m.csv", "image,label\na.png,x\n")
    missing = manifest_dataset(path).fingerprint
    (tmp_path / "a.png").write_bytes(png())
    assert manifest_dataset(path).fingerprint != missing


def test_copies_have_the_same_content_key(tmp_path):
    def key(folder, text="image,label\na.png,x\n", side=8):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "a.png").write_bytes(png(side=side))
        return manifest_dataset(write(tmp_path / folder / "m.csv", text)).content_key

    keys = [key("one"), key("two", side=9), key("two", "image,label\na.png,y\n")]
    keys += [key("two", "image,text\na.png,x\n"), key("two", "id,image,label\n1,a.png,x\n")]
    assert key("two") == keys[0]
    assert key("two", f"image,label\n{tmp_path}/two/a.png,x\n") == keys[0]
    assert len(set(keys)) == 5
