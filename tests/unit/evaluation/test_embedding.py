"""A dataset's embeddings: those of the model, each computed once, whatever ended the run before."""

import dataclasses
import errno
import os
from pathlib import Path

import numpy as np
import pytest
from datasets_in_memory import Pictures, jpegs

from lit.errors import ConfigError, DatasetError, ImageError, OutputError, ProcessError
from lit.evaluation import one_pass
from lit.evaluation.embedding import embed_dataset
from lit.store import EmbeddingStore, digest_of
from lit.store import segment as segments


def columns(embedded):
    """All but the time."""
    found = dataclasses.asdict(embedded)
    del found["timing"]
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}


@pytest.mark.parametrize("keep", [True, False])
def test_rows_are_the_models_in_the_datasets_order(tiny_model, keep):
    dataset = Pictures(jpegs(9))
    embedded = embed_dataset(tiny_model, dataset, keep=keep)
    np.testing.assert_array_equal(embedded.zimg, tiny_model.embed_images(dataset.images))
    assert embedded.ids == tuple(f"test/{i}" for i in range(9))
    assert embedded.labels == tuple((i % 3,) for i in range(9))
    assert embedded.texts == tuple((f"caption {i}",) for i in range(9))
    assert embedded.positions.tolist() == list(range(9))
    assert [d.tobytes() for d in embedded.digests] == [digest_of(image) for image in dataset.images]
    assert embedded.excluded == ()
    assert (embedded.timing.computed, embedded.timing.reused) == (9, 0)
    assert min(embedded.timing.wall, embedded.timing.read, embedded.timing.decode, embedded.timing.tower) > 0
    assert embedded.timing.tower < embedded.timing.wall


def test_a_second_run_reads_no_image(tiny_model):
    first = embed_dataset(tiny_model, Pictures(jpegs(9)))
    again = Pictures(jpegs(9))
    second = embed_dataset(tiny_model, again)
    assert columns(second) == columns(first)
    assert again.taken == 0
    assert (second.timing.computed, second.timing.reused) == (0, 9)


def test_without_keep_nothing_is_written_and_nothing_taken(tiny_model, monkeypatch):
    embed_dataset(tiny_model, Pictures(jpegs(3)), keep=False)
    assert not Path(os.environ["LIT_CACHE"]).exists()


def test_another_split_or_changed_files_are_read_again_and_only_what_is_new_computed(tiny_model):
    embed_dataset(tiny_model, Pictures(jpegs(6)))
    for other in (Pictures(jpegs(6), fingerprint="changed"), Pictures(jpegs(6), split="train")):
        embedded = embed_dataset(tiny_model, other)
        assert other.taken == 6
        assert (embedded.timing.computed, embedded.timing.reused) == (0, 6)
    grown = embed_dataset(tiny_model, Pictures(jpegs(8), fingerprint="grown"))
    assert (grown.timing.computed, grown.timing.reused) == (2, 6)
    np.testing.assert_array_equal(grown.zimg, tiny_model.embed_images(jpegs(8)))


def test_the_same_picture_twice_is_computed_once(tiny_model):
    a, b = jpegs(2)
    embedded = embed_dataset(tiny_model, Pictures([a, b, a, a, b]))
    assert embedded.timing.computed == 2
    assert embedded.timing.reused == 3
    np.testing.assert_array_equal(embedded.zimg, tiny_model.embed_images([a, b, a, a, b]))


def test_another_preprocessing_or_batch_has_rows_of_its_own(tiny_model):
    embed_dataset(tiny_model, Pictures(jpegs(3)))
    cropped = tiny_model.with_preprocess(resize="crop")
    embedded = embed_dataset(cropped, Pictures(jpegs(3)))
    assert embedded.timing.computed == 3
    np.testing.assert_array_equal(embedded.zimg, cropped.embed_images(jpegs(3)))
    assert embed_dataset(tiny_model, Pictures(jpegs(3)), batch_size=5).timing.computed == 3
    assert embed_dataset(tiny_model, Pictures(jpegs(3)), batch_size=tiny_model.image_batch()).timing.computed == 0


def test_paths_and_pixels(tiny_model, tmp_path):
    jpeg = jpegs(1)[0]
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg)
    grey = np.random.default_rng(0).integers(0, 256, (12, 20), dtype=np.uint8)
    images = [path, grey, grey.reshape(20, 12), np.stack([grey] * 3, axis=-1)]
    embedded = embed_dataset(tiny_model, Pictures(images))
    np.testing.assert_array_equal(embedded.zimg, tiny_model.embed_images(images))
    assert embedded.digests[0].tobytes() == digest_of(jpeg)
    assert len({d.tobytes() for d in embedded.digests}) == 4


@pytest.mark.parametrize("limit", [None, 1, 7, 100])
@pytest.mark.parametrize("shards", [1, 3])
def test_shards_and_limit_share_out_the_positions(tiny_model, limit, shards):
    dataset = Pictures(jpegs(10))
    parts = [embed_dataset(tiny_model, dataset, shard=s, shards=shards, limit=limit) for s in range(shards)]
    n = min(limit or 10, 10)
    assert sorted(p for part in parts for p in part.positions.tolist()) == list(range(n))
    for s, part in enumerate(parts):
        assert part.positions.tolist() == list(range(n))[s::shards]
        assert part.ids == tuple(f"test/{p}" for p in part.positions)
        np.testing.assert_array_equal(part.zimg, tiny_model.embed_images(dataset.images)[part.positions])


def test_a_limit_below_one_is_refused(tiny_model):
    with pytest.raises(ConfigError, match="limit is 0; it must be at least 1"):
        embed_dataset(tiny_model, Pictures(jpegs(1)), limit=0)


class TestBadPictures:
    @pytest.fixture
    def images(self, tmp_path):
        good = jpegs(6)
        return [good[0], good[1][:-300], good[2], tmp_path / "gone.jpg", b"no picture", good[5], good[1][:-300]]

    def test_the_first_is_named_by_its_id(self, tiny_model, images):
        with pytest.raises(ImageError, match=r"^test/1: the JPEG is cut off.*--skip-bad"):
            embed_dataset(tiny_model, Pictures(images))
        with pytest.raises(ImageError, match=r"^test/3: it cannot be read: No such file.*--skip-bad"):
            embed_dataset(tiny_model, Pictures([images[0], *images[2:]], ids=["test/0", "test/2", "test/3", *"xyz"]))

    @pytest.mark.parametrize("keep", [True, False])
    def test_they_are_excluded(self, tiny_model, images, keep):
        dataset = Pictures(images)
        first = embed_dataset(tiny_model, dataset, skip_bad=True, keep=keep)
        assert [e.id for e in first.excluded] == ["test/1", "test/3", "test/4", "test/6"]
        assert "cut off" in first.excluded[0].reason
        assert "No such file" in first.excluded[1].reason
        assert first.ids == ("test/0", "test/2", "test/5")
        assert first.labels == ((0,), (2,), (2,))
        assert first.positions.tolist() == [0, 2, 5]
        np.testing.assert_array_equal(first.zimg, tiny_model.embed_images([images[i] for i in (0, 2, 5)]))
        assert (first.timing.computed, first.timing.reused) == (3, 0)
        again = Pictures(images)
        assert columns(embed_dataset(tiny_model, again, skip_bad=True, keep=keep)) == columns(first)
        assert again.taken == len(images)

    def test_damage_is_remembered(self, tiny_model, images):
        del images[3]
        first = embed_dataset(tiny_model, Pictures(images), skip_bad=True)
        again = Pictures(images)
        assert columns(embed_dataset(tiny_model, again, skip_bad=True)) == columns(first)
        assert again.taken == 0

    def test_a_file_that_was_unreadable_once_is_used_by_the_next_run(self, tiny_model, tmp_path, monkeypatch):
        good = jpegs(3)
        (tmp_path / "a.jpg").write_bytes(good[1])
        images = [good[0], tmp_path / "a.jpg", good[2]]

        def refused(path):
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", refused)
            first = embed_dataset(tiny_model, Pictures(images), skip_bad=True)
        assert [(e.id, e.reason) for e in first.excluded] == [("test/1", "it cannot be read: Input/output error.")]
        second = embed_dataset(tiny_model, Pictures(images), skip_bad=True)
        assert second.excluded == ()
        assert (second.timing.computed, second.timing.reused) == (1, 2)
        third = Pictures(images)
        assert columns(embed_dataset(tiny_model, third)) == columns(second)
        assert third.taken == 0

    def test_what_was_excluded_once_is_still_an_error_without_skip_bad(self, tiny_model, images):
        embed_dataset(tiny_model, Pictures(images), skip_bad=True)
        with pytest.raises(ImageError, match=r"^test/1: the JPEG is cut off"):
            embed_dataset(tiny_model, Pictures(images))

    def test_what_was_done_before_the_bad_one_is_kept(self, tiny_model):
        images = jpegs(60)
        images[50] = b"no picture"
        with pytest.raises(ImageError, match="test/50"):
            embed_dataset(tiny_model, Pictures(images))
        embedded = embed_dataset(tiny_model, Pictures(images), skip_bad=True)
        assert embedded.timing.reused >= 30

    def test_not_one_good_picture(self, tiny_model):
        with pytest.raises(DatasetError, match="not one of 2 images can be used; the first is test/0"):
            embed_dataset(tiny_model, Pictures([b"", b"x"]), skip_bad=True)


@pytest.mark.parametrize("known_at_most", [2**25, 1500])
def test_what_is_stored_is_looked_up_in_blocks_of_bounded_size(tiny_model, monkeypatch, known_at_most):
    images = jpegs(20)
    embed_dataset(tiny_model, Pictures([image for i, image in enumerate(images) if i % 4]))
    real, asked = EmbeddingStore.get, []

    def get(store, digests):
        asked.append(len(digests))
        return real(store, digests)

    monkeypatch.setattr(EmbeddingStore, "get", get)
    monkeypatch.setattr(one_pass, "LOOK_UP", 7)
    monkeypatch.setattr(one_pass, "LOOK_UP_BYTES", known_at_most)
    embedded = embed_dataset(tiny_model, Pictures(images, fingerprint="more"))
    np.testing.assert_array_equal(embedded.zimg, tiny_model.embed_images(images))
    assert (embedded.timing.computed, embedded.timing.reused) == (5, 15)
    assert sum(asked) == 15
    assert asked == [7, 7, 1] or (known_at_most == 1500 and max(asked) < 7)


@pytest.mark.parametrize("stored", [True, False])
def test_it_ends_where_another_process_has_failed(tiny_model, monkeypatch, stored):
    if stored:
        embed_dataset(tiny_model, Pictures(jpegs(200)))
    calls = []

    def stop():
        calls.append(1)
        if len(calls) == 2:
            raise ProcessError("process 1 failed")

    monkeypatch.setattr("lit.evaluation.meeting.stop_if_another_failed", stop)
    monkeypatch.setattr(one_pass, "LOOK_UP", 7)
    dataset = Pictures(jpegs(200), fingerprint="again")
    with pytest.raises(ProcessError, match="process 1 failed"):
        embed_dataset(tiny_model, dataset)
    assert dataset.closed
    assert dataset.taken < 200


@pytest.mark.parametrize(("says", "word"), [(5, "more"), (7, "fewer")])
def test_a_dataset_that_holds_another_number_is_refused(tiny_model, says, word):
    with pytest.raises(DatasetError, match=f"holds {word} examples than the {says} that it says"):
        embed_dataset(tiny_model, Pictures(jpegs(6), says=says))


def test_an_error_of_the_dataset_passes_through_and_what_was_done_is_kept(tiny_model):
    dataset = Pictures(jpegs(120), breaks_at=110)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        embed_dataset(tiny_model, dataset)
    assert dataset.closed
    assert embed_dataset(tiny_model, Pictures(jpegs(120))).timing.reused >= 20


def test_ctrl_c_says_what_is_kept(tiny_model, monkeypatch):
    class Interrupted(EmbeddingStore):
        def append(self, digests, rows):
            super().append(digests, rows)
            if len(self._unseen) >= 6:
                raise KeyboardInterrupt

    dataset = Pictures(jpegs(40))
    with monkeypatch.context() as patch:
        patch.setattr("lit.evaluation.embedding.EmbeddingStore", Interrupted)
        with pytest.raises(KeyboardInterrupt, match="were embedded and are kept; the same command continues there"):
            embed_dataset(tiny_model, dataset)
    assert dataset.closed
    embedded = embed_dataset(tiny_model, Pictures(jpegs(40)))
    assert embedded.timing.reused >= 6
    np.testing.assert_array_equal(embedded.zimg, tiny_model.embed_images(jpegs(40)))


def test_a_full_disk_keeps_what_was_done(tiny_model, monkeypatch):
    real, left = segments._write, [12]

    def nearly_full(file, array):
        left[0] -= 1
        if left[0] < 0:
            file.write(array.tobytes()[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, array)

    monkeypatch.setattr(segments, "_write", nearly_full)
    with pytest.raises(OutputError, match="No space left on device. What was done is kept; free some space"):
        embed_dataset(tiny_model, Pictures(jpegs(40)))
    monkeypatch.setattr(segments, "_write", real)
    embedded = embed_dataset(tiny_model, Pictures(jpegs(40)))
    assert embedded.timing.reused == 6 * tiny_model.image_batch()
    np.testing.assert_array_equal(embedded.zimg, tiny_model.embed_images(jpegs(40)))


def test_a_cache_that_cannot_be_written_costs_one_warning(tiny_model, monkeypatch, tmp_path, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIT_CACHE", str(tmp_path / "file" / "cache"))
    embedded = embed_dataset(tiny_model, Pictures(jpegs(9)))
    np.testing.assert_array_equal(embedded.zimg, tiny_model.embed_images(jpegs(9)))
    assert len(caplog.records) == 1
    assert "cannot be kept in" in caplog.text


def test_damaged_rows_are_computed_again(tiny_model):
    first = embed_dataset(tiny_model, Pictures(jpegs(9)))
    (path,) = Path(os.environ["LIT_CACHE"]).glob("embeddings/*/*.rows")
    content = bytearray(path.read_bytes())
    content[4 * tiny_model.dim * 5 + 17] ^= 1
    path.write_bytes(content)
    second = embed_dataset(tiny_model, Pictures(jpegs(9)))
    assert (second.timing.computed, second.timing.reused) == (1, 8)
    assert columns(second) == columns(first)
    assert embed_dataset(tiny_model, Pictures(jpegs(9))).timing.computed == 0
