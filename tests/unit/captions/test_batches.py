"""Batches: the same ones, whatever was prepared ahead, interrupted or shared."""

import json
import sys
import threading

import numpy as np
import pytest
from corpora import captions, tokenizer, write_folder, write_tars

from lit.captions import Batches, CachedPairs, open_corpus
from lit.captions.batches import REPLACED
from lit.config import PreprocessConfig
from lit.errors import ConfigError, DatasetError, ImageError, MissingExtraError
from lit.images import preprocess
from lit.prompts import canonicalize

PREPROCESS = PreprocessConfig(image_size=16)


@pytest.fixture(scope="module")
def words(tiny_bundle):
    return tokenizer(tiny_bundle)


def cached(n=23, **changes):
    rng = np.random.default_rng(n)
    fields = {
        "name": "pairs",
        "key": f"{n}",
        "ids": tuple(map(str, range(n))),
        "texts": tuple(captions(i) for i in range(n)),
        "vectors": rng.normal(size=(n, 8)).astype(np.float32),
        "digests": rng.integers(0, 256, (n, 32), dtype=np.uint8),
    }
    return CachedPairs(**{**fields, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("corpus") / "photos", 11)


def take(batches, n):
    out = [next(batches) for _ in range(n)]
    batches.close()
    return out


def assert_same(some, others):
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        for name in ("tokens", "index", "vectors", "pixels"):
            a, b = getattr(one, name), getattr(other, name)
            assert (a is None) == (b is None)
            if a is not None:
                assert a.dtype == b.dtype
                np.testing.assert_array_equal(a, b)


def test_cached_pairs(words):
    pairs = cached()
    batches = Batches(pairs, words, batch_size=5, seed=2)
    assert batches.steps_per_epoch == 4
    taken = take(batches, 12)
    for epoch in range(3):
        rows = np.concatenate([batch.index for batch in taken[4 * epoch : 4 * epoch + 4]])
        assert len(set(rows.tolist())) == 20
    for batch in taken:
        assert batch.pixels is None
        np.testing.assert_array_equal(batch.vectors, pairs.vectors[batch.index])
        for row, ids in zip(batch.index, batch.tokens, strict=True):
            possible = words([canonicalize(text) for text in captions(row)])
            assert (possible == ids).all(axis=1).any()


def test_images_meet_all_their_captions(words):
    taken = take(Batches(cached(3), words, batch_size=3), 6)
    seen = {(int(row), ids.tobytes()) for batch in taken for row, ids in zip(batch.index, batch.tokens, strict=True)}
    assert len(seen) == 1 + 2 + 3


def test_canonicalize(words):
    pairs = cached(1, texts=(("A CAT!",),))
    said = [take(Batches(pairs, words, batch_size=1, canonicalize=on), 1)[0].tokens for on in (True, False)]
    np.testing.assert_array_equal(said[0], words(["a cat"]))
    np.testing.assert_array_equal(said[1], words(["A CAT!"]))


@pytest.mark.parametrize("source", ["cached", "pixels"])
@pytest.mark.parametrize("stop", [0, 1, 4, 7])
def test_going_on_gives_the_same_batches(words, folder, source, stop):
    def opened():
        if source == "cached":
            return Batches(cached(), words, batch_size=5, seed=9)
        return Batches(open_corpus(folder), words, batch_size=5, seed=9, preprocess=PREPROCESS, augment="crop-flip")

    whole = take(opened(), 10)
    first = opened()
    before = [next(first) for _ in range(stop)]
    state = first.state()
    later = [next(first) for _ in range(2)]  # taken after the state was, and further ones prepared
    assert_same(later, whole[stop : stop + 2])
    first.restore(state)  # the same object
    assert first.step == stop
    assert_same([next(first)], whole[stop : stop + 1])
    first.close()
    again = opened()
    next(again)
    again.restore(json.loads(json.dumps(state)))
    assert_same([*before, *take(again, 10 - stop)], whole)
    assert len(json.dumps(state)) < 1000


def test_processes_share_a_batch(words):
    whole = take(Batches(cached(), words, batch_size=6, seed=1), 5)
    parts = [
        take(Batches(cached(), words, batch_size=6, seed=1, process_index=i, process_count=3), 5) for i in range(3)
    ]
    for step, batch in enumerate(whole):
        for name in ("tokens", "index", "vectors"):
            shares = [getattr(part[step], name) for part in parts]
            np.testing.assert_array_equal(np.concatenate(shares), getattr(batch, name))


def test_a_run_may_go_on_with_another_number_of_processes(words):
    one = Batches(cached(), words, batch_size=6)
    next(one)
    two = Batches(cached(), words, batch_size=6, process_count=2, process_index=1)
    two.restore(one.state())
    np.testing.assert_array_equal(take(two, 1)[0].index, take(one, 1)[0].index[3:])


def test_pixels(words, folder):
    corpus = open_corpus(folder)
    batches = Batches(corpus, words, batch_size=4, preprocess=PREPROCESS)
    for batch in take(batches, 3):
        assert batch.vectors is None
        for row, pixels in zip(batch.index, batch.pixels, strict=True):
            np.testing.assert_array_equal(pixels, preprocess(corpus.read(int(row)).image, PREPROCESS))


def test_crop_flip_changes_with_the_epoch_alone(words, folder):
    corpus = open_corpus(folder)
    batches = [
        take(Batches(corpus, words, batch_size=11, seed=s, preprocess=PREPROCESS, augment="crop-flip"), 2)
        for s in (0, 0, 1)
    ]
    assert_same(batches[0], batches[1])
    by_row = [{int(r): p for r, p in zip(b.index, b.pixels, strict=True)} for b in (*batches[0], batches[2][0])]
    assert sum(len({epoch[row].tobytes() for epoch in by_row}) > 1 for row in range(11)) >= 8  # small: few ways to cut


@pytest.fixture
def broken(tmp_path):
    """Nine pictures; the third and the sixth are none."""
    folder = write_folder(tmp_path / "photos", 9)
    (folder / "a" / "002.jpg").write_bytes(b"\xff\xd8\xff rubbish")
    (folder / "a" / "005.jpg").unlink()
    return open_corpus(_unlinked_is_listed(folder))


def _unlinked_is_listed(folder):
    """A manifest names what is not there."""
    rows = [{"image": f"photos/a/{i:03d}.jpg", "text": captions(i)} for i in range(9)]
    path = folder.parent / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_bad_pictures_are_replaced_counted_and_the_same_when_it_goes_on(words, broken):
    def opened():
        return Batches(broken, words, batch_size=4, seed=5, preprocess=PREPROCESS)

    batches = opened()
    whole = [next(batches) for _ in range(9)]
    rows = np.concatenate([batch.index for batch in whole])
    assert not {2, 5} & set(rows.tolist())
    for batch in whole:  # the captions are those of the picture that came instead
        for row, ids in zip(batch.index, batch.tokens, strict=True):
            assert (words([canonicalize(text) for text in captions(row)]) == ids).all(axis=1).any()
    replaced = batches.replaced
    assert replaced.images[REPLACED] >= 4
    assert all(name.startswith(("photos/a/002.jpg: ", "photos/a/005.jpg: ")) for name in replaced.names[REPLACED])
    assert any("no such file" in name for name in replaced.names[REPLACED])
    batches.close()
    again = opened()
    start = take(again, 3)
    state = json.loads(json.dumps(again.state()))
    again = opened()
    again.restore(state)
    assert_same([*start, *take(again, 6)], whole)
    assert again.replaced == replaced


def test_bad_pictures_as_errors(words, broken):
    batches = Batches(broken, words, batch_size=9, preprocess=PREPROCESS, skip_bad=False)
    with pytest.raises(ImageError, match=r"photos/a/00[25].jpg: .* data.skip_bad"):
        next(batches)


def test_where_no_picture_can_be_used(words, tmp_path):
    corpus = open_corpus(write_folder(tmp_path / "photos", 3))
    for picture in (tmp_path / "photos").rglob("*.jpg"):
        picture.unlink()
    batches = Batches(corpus, words, batch_size=2, preprocess=PREPROCESS)
    with pytest.raises(DatasetError, match=r"64 pictures in turn cannot be used.*no such file"):
        next(batches)


def test_close_ends_the_threads(words, folder):
    batches = Batches(open_corpus(folder), words, batch_size=4, preprocess=PREPROCESS)
    next(batches)
    assert any(thread.name.startswith("lit-pictures") for thread in threading.enumerate())
    batches.close()
    assert not any(thread.name.startswith("lit-pictures") for thread in threading.enumerate())
    batches.close()
    assert batches.step == 1


def test_what_cannot_be(words, folder, tmp_path):
    with pytest.raises(ConfigError, match=r"24 pairs and the corpus 23 images"):
        Batches(cached(), words, batch_size=24)
    with pytest.raises(ConfigError, match=r"data.cache = false"):
        Batches(cached(), words, batch_size=2, augment="crop-flip")
    with pytest.raises(ConfigError, match="`preprocess`"):
        Batches(open_corpus(folder), words, batch_size=2)
    with pytest.raises(ConfigError, match="workers is -1"):
        Batches(cached(), words, batch_size=2, workers=-1)


class InOrderOnly:
    """A dataset without `example`."""

    name, split, label_names, fingerprint, content_key, description = "d", "all", None, "f", "k", {}

    def __len__(self):
        return 1

    def examples(self, shard=0, shards=1):
        raise AssertionError("nothing should be read")


def test_a_corpus_in_order_only(words):
    from lit.captions import Corpus

    with pytest.raises(DatasetError, match=r"d can be read in order only.*data.cache = true"):
        Batches(Corpus(InOrderOnly()), words, batch_size=1, preprocess=PREPROCESS)


@pytest.mark.parametrize(
    ("change", "says"), [({"seed": 1}, "seed was 0 and is 1"), ({"batch_size": 4}, "batch size was 5")]
)
def test_a_state_of_other_batches(words, change, says):
    state = Batches(cached(), words, batch_size=5).state()
    with pytest.raises(ConfigError, match=says):
        Batches(cached(), words, **{"batch_size": 5, **change}).restore(state)
    with pytest.raises(ConfigError, match="pairs was 23 and is 24"):
        Batches(cached(24), words, batch_size=5).restore(state)


def test_without_grain(words, monkeypatch):
    monkeypatch.setitem(sys.modules, "grain", None)
    with pytest.raises(MissingExtraError, match=r"LiT training needs the extra 'train'"):
        Batches(cached(), words, batch_size=5)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_workers_prepare_the_same_batches(words, tmp_path, workers):
    corpus = open_corpus(write_tars(tmp_path / "tars", 11))

    def opened(workers):
        return Batches(corpus, words, batch_size=4, seed=3, preprocess=PREPROCESS, augment="crop-flip", workers=workers)

    whole = take(opened(0), 6)
    assert_same(take(opened(workers), 6), whole)
    threads = opened(0)
    take(threads, 3)
    batches = opened(workers)
    batches.restore(threads.state())
    assert_same(take(batches, 3), whole[3:])


@pytest.mark.slow
def test_an_error_in_a_worker_has_its_words(words, broken):
    batches = Batches(broken, words, batch_size=9, preprocess=PREPROCESS, skip_bad=False, workers=1)
    with pytest.raises(ImageError, match=r"photos/a/00[25].jpg: .* data.skip_bad"):
        next(batches)
