"""Corpora from wherever people have them, and what of them is left out."""

import json

import numpy as np
import pytest
from corpora import captions, img2dataset_sample, write_folder, write_manifest, write_tars
from prepared import jpeg, write_tar, write_tfds

from lit.captions import LeftOut, open_corpus
from lit.datasets import webdataset
from lit.errors import DatasetError

tfds = pytest.importorskip("tensorflow_datasets")

COCO = {
    "image": tfds.features.Image(shape=(None, None, 3)),
    "image/filename": tfds.features.Text(),
    "captions": tfds.features.Sequence({"id": tfds.features.Scalar(np.int64), "text": tfds.features.Text()}),
}


def coco(i, texts):
    said = [{"id": n, "text": text} for n, text in enumerate(texts)]
    return {"image": jpeg(i), "image/filename": f"{i}.jpg", "captions": said}


def test_a_folder(tmp_path):
    corpus = open_corpus(write_folder(tmp_path / "photos", 7))
    assert corpus.texts == tuple(captions(i) for i in range(7))
    assert corpus.ids[3] == "a/003.jpg"
    assert corpus.read(3).image.read_bytes() == jpeg(3)
    assert corpus.read(3).texts == captions(3)
    assert (corpus.random_access, len(corpus), str(corpus.left_out)) == (True, 7, "nothing left out")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_manifest_with_several_rows_for_an_image(tmp_path, suffix):
    corpus = open_corpus(write_manifest(tmp_path / "m", suffix, 6))
    assert corpus.texts == tuple(captions(i) for i in range(6))
    assert corpus.read(5).image.read_bytes() == jpeg(5)


def test_tars(tmp_path):
    folder = write_tars(tmp_path / "tars", 5)
    for source in (folder, f"{folder}/{{00000..00001}}.tar", f"{folder}/*.tar"):
        corpus = open_corpus(source)
        assert corpus.texts == tuple(captions(i)[:1] for i in (0, 2, 4, 1, 3))
        assert corpus.ids[1] == "00000.tar/000000002"
        assert [corpus.read(i).image for i in (4, 1)] == [jpeg(3), jpeg(2)]


def test_coco_captions(tmp_path):
    texts = [["A cat. ", "a dog"], ["a car"], ["", " "], ["a boat", "", "a hat"]]
    write_tfds(tmp_path, "coco_captions", [coco(i, some) for i, some in enumerate(texts)], features=COCO, shards=2)
    for source in ({"captions": ""}, {"captions": "captions/text"}):
        corpus = open_corpus("coco_captions", data_dir=tmp_path, split="test", **source)
        assert corpus.texts == (("A cat.", "a dog"), ("a car",), ("a boat", "a hat"))
        assert corpus.random_access
        assert [corpus.read(i).image for i in (2, 0, 1)] == [jpeg(3), jpeg(0), jpeg(1)]
        assert corpus.left_out == LeftOut({"it has no caption": 1}, {"it has no caption": (_coco_id(2),)}, 3)
    with pytest.raises(DatasetError, match=r"no feature 'words'"):
        open_corpus("coco_captions", data_dir=tmp_path, captions="words")
    write_tfds(tmp_path, "plain", [{"image": jpeg(), "label": 0}])
    with pytest.raises(DatasetError, match=r"none of captions/text, .* name it with captions="):
        open_corpus("plain", data_dir=tmp_path)
    with pytest.raises(DatasetError, match="lit downloads no datasets"):
        open_corpus("coco_captions", data_dir=tmp_path / "elsewhere")


def _coco_id(i):
    return f"coco_captions-test.array_record-0000{i // 2}-of-00002__{i % 2}"


def test_a_part_of_a_split_by_number(tmp_path):
    examples = [coco(i, [f"text {i}"]) for i in range(9)]
    write_tfds(tmp_path, "coco_captions", examples, features=COCO, shards=3)
    corpus = open_corpus("coco_captions", data_dir=tmp_path, split="test[2:8]")
    assert [corpus.read(i).image for i in range(6)] == [jpeg(i) for i in range(2, 8)]
    assert [corpus.read(i).texts for i in range(6)] == [(f"text {i}",) for i in range(2, 8)]


def test_tfrecord_has_no_random_access(tmp_path):
    write_tfds(tmp_path, "coco_captions", [coco(0, ["a cat"])], features=COCO, file_format="tfrecord")
    corpus = open_corpus("coco_captions", data_dir=tmp_path)
    assert not corpus.random_access
    with pytest.raises(DatasetError, match=r"read in order only. Prepare it as array_record"):
        corpus.read(0)
    with pytest.raises(DatasetError, match=r"stored as tfrecord, which can be read in order only"):
        corpus.dataset.example(0)


@pytest.mark.slow  # TensorFlow's import alone takes seconds
def test_captions_of_tfrecord(tmp_path):
    write_tfds(tmp_path, "coco_captions", [coco(0, ["a cat"])], features=COCO, file_format="tfrecord")
    assert open_corpus("coco_captions", data_dir=tmp_path).texts == (("a cat",),)


def test_samples_that_failed_are_counted(tmp_path):
    samples = [
        *img2dataset_sample(0, "a cat", picture=jpeg(0)),
        *img2dataset_sample(1, "a dog"),  # no picture
        *img2dataset_sample(2, None, picture=jpeg(2)),  # null caption
        *img2dataset_sample(3, " \n", picture=jpeg(3)),
        ("000000004.jpg", jpeg(4)),  # no caption of any kind
        ("000000005.jpg", jpeg(5)), ("000000005.txt", "é".encode("latin-1")),
        ("000000006.jpg", jpeg(6)), ("000000006.json", b"{cut"),
        ("000000007.jpg", jpeg(7)), ("000000007.json", json.dumps({"caption": " a boat "}).encode()),
        ("000000008.jpg", jpeg(8)), ("000000008.txt", b""),
        ("000000008.json", json.dumps({"caption": "car", "label": "no number"}).encode()),
    ]  # fmt: skip
    corpus = open_corpus(write_tar(tmp_path / "0.tar", samples))
    assert corpus.texts == (("a cat",), ("a boat",), ("car",))
    assert corpus.read(1).image == jpeg(7)
    left_out = corpus.left_out
    assert dict(left_out.images) == {"there is no picture": 1, "it has no caption": 5}
    assert left_out.names["there is no picture"] == ("0.tar/000000001",)
    blank, spaces, nothing, latin, cut = left_out.names["it has no caption"]
    assert (blank, spaces, nothing) == ("0.tar/000000002", "0.tar/000000003", "0.tar/000000004")
    assert ".txt is not UTF-8" in latin
    assert ".json is damaged" in cut
    assert (left_out.captions, left_out.total) == (2, 6)
    assert str(left_out).startswith(
        "1 image left out: there is no picture (0.tar/000000001); 5 images left out: it has"
    )
    assert str(left_out).endswith("2 empty captions dropped")


def test_an_archive_for_an_evaluation_is_as_strict_as_ever(tmp_path):
    path = write_tar(tmp_path / "0.tar", img2dataset_sample(0, "a") + img2dataset_sample(1, "b", picture=jpeg()))
    with pytest.raises(DatasetError, match="has 0 pictures"):
        len(webdataset(path))
    assert len(open_corpus(path)) == 1


def test_a_folder_with_gaps(tmp_path):
    folder = write_folder(tmp_path / "photos", 4)
    (folder / "a" / "000.txt").unlink()
    (folder / "a" / "001.txt").write_text("\n  \n a cat \n\n")
    (folder / "a" / "002.txt").write_bytes(b"\xff\xfe\xfd")
    corpus = open_corpus(folder)
    assert corpus.texts == (("a cat",), captions(3))
    assert corpus.left_out.images == {"it has no caption": 2}
    first, second = corpus.left_out.names["it has no caption"]
    assert first == "a/000.jpg"
    assert second.startswith("a/002.jpg: 002.txt is not UTF-8")
    assert corpus.left_out.captions == 3


def test_a_line_ends_where_editors_end_it(tmp_path):
    folder = write_folder(tmp_path / "photos", 3)
    (folder / "a" / "000.txt").write_bytes("a\x0bcat\u2028on\x85a mat\r\na dog".encode())
    (folder / "a" / "001.txt").write_bytes(b"")
    corpus = open_corpus(folder)
    assert corpus.texts == (("a\x0bcat\u2028on\x85a mat", "a dog"), captions(2))
    assert corpus.left_out.captions == 1


def test_punctuation_alone_is_no_caption(tmp_path):
    folder = write_folder(tmp_path / "photos", 3)
    (folder / "a" / "000.txt").write_text("...\n_ !?\n")
    (folder / "a" / "001.txt").write_text("-\n\u732b\nC++\n")
    corpus = open_corpus(folder)
    assert corpus.texts == (("\u732b", "C++"), captions(2))
    assert (corpus.left_out.images, corpus.left_out.captions) == ({"it has no caption": 1}, 3)


def test_a_sample_with_several_pictures_is_counted(tmp_path):
    two = [*img2dataset_sample(0, "a cat", picture=jpeg(0)), ("000000000.png", jpeg(0))]
    path = write_tar(tmp_path / "0.tar", [*two, *img2dataset_sample(1, "a dog", picture=jpeg(1))])
    corpus = open_corpus(path)
    assert corpus.texts == (("a dog",),)
    assert corpus.left_out.names == {"there is more than one picture": ("0.tar/000000000",)}


def test_json_nested_deeper_than_can_be_read_is_a_bad_sample(tmp_path):
    deep = [("000000000.jpg", jpeg(0)), ("000000000.json", b"[" * 100_000)]
    corpus = open_corpus(write_tar(tmp_path / "0.tar", [*deep, *img2dataset_sample(1, "a dog", picture=jpeg(1))]))
    assert corpus.texts == (("a dog",),)
    assert ".json is damaged" in corpus.left_out.names["it has no caption"][0]


@pytest.mark.parametrize("kind", ["folder", "tars", "manifest"])
def test_a_choice_that_there_is_not_is_refused(tmp_path, kind):
    write = {"folder": write_folder, "tars": write_tars, "manifest": lambda f, n: write_manifest(f, ".csv", n)}[kind]
    source = write(tmp_path / "corpus", 3)
    with pytest.raises(DatasetError, match=r"split is 'train', and .* is not of TensorFlow Datasets"):
        open_corpus(source, split="train")
    if kind != "manifest":
        with pytest.raises(DatasetError, match=r"captions is 'alt', and .* is no manifest"):
            open_corpus(source, captions="alt")


def test_pictures_beside_archives_are_not_passed_over(tmp_path):
    folder = write_tars(tmp_path / "tars", 3)
    (folder / "cat.JPG").write_bytes(jpeg(0))
    with pytest.raises(DatasetError, match=r"holds archives and pictures, such as cat.JPG"):
        open_corpus(folder)
    assert len(open_corpus(f"{folder}/*.tar")) == 3


def test_rows_without_a_caption(tmp_path):
    path = write_manifest(tmp_path / "m", ".jsonl", 3)
    more = [{"image": "000.jpg", "text": None}, {"image": "9.jpg", "text": ""}, {"image": "8.jpg", "text": None}]
    path.write_text(path.read_text() + "".join(json.dumps(row) + "\n" for row in more))
    corpus = open_corpus(path)
    assert corpus.texts == tuple(captions(i) for i in range(3))
    assert corpus.left_out == LeftOut({"it has no caption": 2}, {"it has no caption": ("9.jpg", "8.jpg")}, 3)
    path.write_text(path.read_text().replace('"8.jpg", "text": null', '"8.jpg"'))  # the same, as others write null
    assert open_corpus(path).left_out == corpus.left_out


def test_another_column(tmp_path):
    (tmp_path / "m.csv").write_text("image,alt,label\na.jpg,a cat,0.5\n")
    assert open_corpus(tmp_path / "m.csv", captions="alt").texts == (("a cat",),)
    with pytest.raises(DatasetError, match=r"no row has a column 'text'; there are 'image', 'alt', 'label'"):
        open_corpus(tmp_path / "m.csv")


def test_what_is_no_corpus(tmp_path):
    folder = write_folder(tmp_path / "photos", 2)
    for text in folder.rglob("*.txt"):
        text.write_text("\n")
    with pytest.raises(
        DatasetError, match=r"not one image has a caption; 2 images left out: .* cat.txt beside cat.jpg"
    ):
        len(open_corpus(folder))
    with pytest.raises(DatasetError, match="there is no corpus"):
        open_corpus(tmp_path / "nothing.csv")
    (tmp_path / "x.zip").touch()
    with pytest.raises(DatasetError, match="is no corpus: a folder of pictures"):
        open_corpus(tmp_path / "x.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no images in"):
        open_corpus(tmp_path / "empty")
    path = write_tar(tmp_path / "0.tar", img2dataset_sample(0, "a"))
    with pytest.raises(DatasetError, match="there are no pictures in 1 tar files, and 1 samples"):
        open_corpus(path)


def test_the_key_is_of_pairs_not_of_places(tmp_path):
    keys = {open_corpus(write_folder(tmp_path / place, 3)).key for place in ("a", "b")}
    assert len(keys) == 1
    (tmp_path / "b" / "a" / "001.txt").write_text("another")
    assert open_corpus(tmp_path / "b").key not in keys
