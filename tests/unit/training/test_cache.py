"""A corpus as embeddings."""

import jax
import numpy as np
import pytest
import training_toy as toy
from corpora import captions, img2dataset_sample, tokenizer, write_folder
from prepared import jpeg, write_tar

from lit.captions import Batches, LeftOut, open_corpus
from lit.config import ViTConfig
from lit.engine import XlaEngine
from lit.errors import DatasetError, ImageError
from lit.evaluation import meeting
from lit.evaluation.embedding import embed_dataset
from lit.image_embedder import ImageEmbedder
from lit.nn.two_towers import image_head
from lit.store import digest_of
from lit.training.cache import embed_corpus


def test_pairs_are_the_models(tiny_model, tiny_bundle, tmp_path):
    corpus = open_corpus(write_folder(tmp_path / "photos", 6))
    pairs = embed_corpus(tiny_model, corpus)
    assert (pairs.ids, pairs.texts) == (corpus.ids, corpus.texts)
    np.testing.assert_array_equal(pairs.vectors, tiny_model.embed_images([corpus.read(i).image for i in range(6)]))
    assert [d.tobytes() for d in pairs.digests] == [digest_of(jpeg(i)) for i in range(6)]
    assert (pairs.computed, pairs.reused, pairs.left_out) == (6, 0, LeftOut())
    assert pairs.seconds > 0
    batch = next(batches := Batches(pairs, tokenizer(tiny_bundle), batch_size=4))
    batches.close()
    np.testing.assert_array_equal(batch.vectors, pairs.vectors[batch.index])


def test_features_are_what_the_tower_gives_below_a_head_that_learns(tmp_path):
    """Each picture meets its tower once, whatever the head becomes; embeddings of unit norm are kept apart."""
    model = toy.model_config(image=ViTConfig.of_size("mu/16", image_size=32, out_dim=32))
    params = toy.random(model)
    corpus = open_corpus(write_folder(tmp_path / "photos", 4))
    sides = [
        ImageEmbedder(model, XlaEngine(model, params, features=kind == "features"), "float32")
        for kind in ("zimg", "features")
    ]
    assert sides[0].image_fingerprint != sides[1].image_fingerprint
    zimg, features = (embed_corpus(side, corpus) for side in sides)
    assert (features.kind, zimg.kind, features.computed) == ("features", "zimg", 4)
    assert features.vectors.shape == (4, model.image.width)
    np.testing.assert_allclose(np.linalg.norm(zimg.vectors, axis=1), 1, atol=1e-6)
    head = jax.jit(image_head(model))(params, features.vectors)
    np.testing.assert_allclose(head, zimg.vectors, atol=1e-6)
    # Another head: nothing is embedded again, for what is below it did not change.
    other = {**params, "img": {**params["img"], "head": {**params["img"]["head"], "bias": np.ones(32, np.float32)}}}
    side = ImageEmbedder(model, XlaEngine(model, other, features=True), "float32")
    assert embed_corpus(side, corpus).computed == 0


def test_a_second_run_embeds_nothing_and_reads_no_picture(tiny_model, tmp_path):
    folder = write_folder(tmp_path / "photos", 5)
    first = embed_corpus(tiny_model, open_corpus(folder))
    again = embed_corpus(tiny_model, open_corpus(folder))
    assert (again.computed, again.reused) == (0, 5)
    assert again.key == first.key
    np.testing.assert_array_equal(again.vectors, first.vectors)
    unkept = embed_corpus(tiny_model, open_corpus(folder), keep=False)
    assert (unkept.computed, unkept.reused, unkept.key) == (5, 0, first.key)


def test_processes_embed_a_share_each(tiny_model, tmp_path, monkeypatch):
    """The other one is played: it embeds its share until they meet."""
    folder = write_folder(tmp_path / "photos", 7)
    alone = embed_corpus(tiny_model, open_corpus(folder), keep=False)

    def meet(what):
        embed_dataset(tiny_model, open_corpus(folder).dataset, shard=0, shards=2)

    monkeypatch.setattr(meeting, "_entries", lambda place: [])
    monkeypatch.setattr(meeting, "here", lambda: (1, 2))
    monkeypatch.setattr(meeting, "exchange", meet)
    pairs = embed_corpus(tiny_model, open_corpus(folder))
    assert (pairs.computed, pairs.reused, pairs.key) == (3, 4, alone.key)
    np.testing.assert_allclose(pairs.vectors, alone.vectors, atol=1e-6)


def test_new_captions_need_no_new_embeddings(tiny_model, tmp_path):
    folder = write_folder(tmp_path / "photos", 3)
    first = embed_corpus(tiny_model, open_corpus(folder))
    (folder / "a" / "001.txt").write_text("another caption\n")
    again = embed_corpus(tiny_model, open_corpus(folder))
    assert (again.texts[1], again.computed, again.reused) == (("another caption",), 0, 3)
    assert again.key != first.key


def test_the_pairs_of_another_tower_are_others(tiny_model, biased_model, tmp_path):
    corpus = open_corpus(write_folder(tmp_path / "photos", 3))
    assert embed_corpus(tiny_model, corpus).key != embed_corpus(biased_model, corpus).key


@pytest.fixture
def tar(tmp_path):
    samples = [
        *img2dataset_sample(0, "a cat", picture=jpeg(0)),
        *img2dataset_sample(1, "a dog"),
        *img2dataset_sample(2, None, picture=jpeg(2)),
        *img2dataset_sample(3, "a car", picture=b"\xff\xd8\xff rubbish"),
        *img2dataset_sample(4, " a boat\n", picture=jpeg(4)),
    ]
    return write_tar(tmp_path / "0.tar", samples)


def test_what_is_left_out(tiny_model, tar):
    for _ in range(2):  # computed, then stored
        pairs = embed_corpus(tiny_model, open_corpus(tar))
        assert pairs.texts == (("a cat",), ("a boat",))
        np.testing.assert_array_equal(pairs.vectors, tiny_model.embed_images([jpeg(0), jpeg(4)]))
        assert pairs.digests.shape == (2, 32)
        assert dict(pairs.left_out.images) == {
            "there is no picture": 1,
            "it has no caption": 1,
            "the picture cannot be used": 1,
        }
        assert pairs.left_out.names["the picture cannot be used"][0].startswith("0.tar/000000003: ")
        assert pairs.left_out.captions == 1


def test_bad_pictures_as_errors(tiny_model, tar):
    with pytest.raises(ImageError, match=r"000000003.* data\.skip_bad = true"):
        embed_corpus(tiny_model, open_corpus(tar), skip_bad=False)


def test_where_nothing_is_left(tiny_model, tmp_path):
    folder = write_folder(tmp_path / "photos", 2)
    for text in folder.rglob("*.txt"):
        text.write_text("\n")
    with pytest.raises(DatasetError, match="not one image has a caption"):
        embed_corpus(tiny_model, open_corpus(folder))
    for picture in folder.rglob("*.jpg"):
        picture.write_bytes(b"rubbish")
    with pytest.raises(DatasetError, match="can be used"):
        embed_corpus(tiny_model, open_corpus(folder))


def test_equal_pictures_are_embedded_once(tiny_model, tmp_path):
    folder = write_folder(tmp_path / "photos", 4)
    (folder / "a" / "003.jpg").write_bytes(jpeg(0))
    pairs = embed_corpus(tiny_model, open_corpus(folder))
    assert pairs.computed == 3
    assert pairs.texts[3] == captions(3)
    np.testing.assert_array_equal(pairs.vectors[3], pairs.vectors[0])
