"""Serialized examples from the files of a prepared dataset, in order, one shard of them: two readers, same records."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np

from lit.datasets import guest
from lit.errors import DatasetError, MissingExtraError

#: Records that tf.data reads ahead.
_AHEAD = 64


@dataclasses.dataclass(frozen=True)
class Piece:
    """Records of one file: `take` of them after the first `skip`."""

    path: str
    skip: int
    take: int

    @property
    def name(self) -> str:
        """Of the file, without its folder."""
        return self.path.rpartition("/")[2]


def places(pieces: Sequence[Piece], shard: int, shards: int) -> Iterator[tuple[Piece, int]]:
    """Piece and position in its file of each record of a shard: positions `shard`, `shard + shards`, ... of all."""
    before = 0
    for piece in pieces:
        for at in range((shard - before) % shards, piece.take, shards):
            yield piece, piece.skip + at
        before += piece.take


def tf_records(pieces: Sequence[Piece], shard: int, shards: int) -> Iterator[bytes]:
    """TFRecord files through tf.data, one after the other, as they are stored.

    Raises:
      MissingExtraError: TensorFlow is not installed.
      DatasetError: a file is damaged, or holds fewer records than it should.
    """
    tf = guest.tensorflow()

    @tf.autograph.experimental.do_not_convert
    def of_file(path: object, skip: object, take: object) -> object:
        records = tf.data.TFRecordDataset(path, buffer_size=8 << 20).skip(skip).take(take)
        return records.apply(tf.data.experimental.assert_cardinality(take))

    options = tf.data.Options()
    options.deterministic = True
    options.threading.private_threadpool_size = 2  # the cores are for decoding pictures
    columns = (
        [piece.path for piece in pieces],
        np.array([piece.skip for piece in pieces], np.int64),
        np.array([piece.take for piece in pieces], np.int64),
    )
    with tf.device("CPU:0"):
        files = tf.data.Dataset.from_tensor_slices(columns)
        records = files.flat_map(of_file).shard(shards, shard).prefetch(_AHEAD).with_options(options)
        iterator = records.as_numpy_iterator()
    at = places(pieces, shard, shards)
    while True:
        piece, position = next(at, (pieces[-1], pieces[-1].skip + pieces[-1].take))
        try:
            record = next(iterator, None)
        except tf.errors.OpError as error:
            raise DatasetError(damaged(piece, position, error.message)) from error
        if record is None:
            return
        yield record


def array_records(pieces: Sequence[Piece], shard: int, shards: int) -> Iterator[bytes]:
    """ArrayRecord files, by position; without TensorFlow.

    Raises:
      MissingExtraError: array_record is not installed.
      DatasetError: a file is damaged, or holds fewer records than it should.
    """
    if not guest.has("array_record"):
        raise MissingExtraError("reading ArrayRecord files", "arrayrecord")
    from array_record.python.array_record_module import ArrayRecordReader

    piece, position, path, reader = pieces[0], 0, "", None
    try:
        for piece, position in places(pieces, shard, shards):
            if reader is None or piece.path != path:
                if reader is not None:
                    reader.close()
                # No reading ahead beyond a record: what follows may be another shard's.
                path, reader = piece.path, None
                reader = ArrayRecordReader(path, options="readahead_buffer_size:0", file_reader_buffer_size=1 << 15)
                if reader.num_records() < piece.skip + piece.take:  # it reads empty records from some torn files
                    raise IndexError(f"there are {reader.num_records()} records")
            yield reader.read([position])[0]
        if reader is not None:
            reader.close()
            reader = None
    except (OSError, ValueError, RuntimeError, IndexError) as error:
        raise DatasetError(damaged(piece, position, str(error))) from error
    finally:
        if reader is not None:
            with suppress(RuntimeError):  # a reader of a damaged file complains again
                reader.close()


def damaged(piece: Piece, position: int, said: str) -> str:
    """What to say of a file that cannot be read there."""
    return (
        f"{piece.path} could not be read at or shortly after record {position}: {said[:300]}. "
        f"The file should hold at least {piece.skip + piece.take} records; copy it again, or prepare the dataset anew."
    )


def record_id(piece: Piece, position: int) -> str:
    """What tfds calls the example (`tfds_id`)."""
    return f"{piece.name}__{position}"
