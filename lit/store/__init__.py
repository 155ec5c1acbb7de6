"""Image embeddings on disk, found by the content of the picture.

Below `<cache>/embeddings/<what determines an embedding>/`:

| file                 |                                                                                             |
|----------------------|---------------------------------------------------------------------------------------------|
| `SEGMENT.rows`       | (n, dim) float32, little-endian, nothing else                                               |
| `SEGMENT.keys`       | n records of 36 bytes: SHA-256 of a picture's content, CRC-32 of that and the row           |
| `datasets/KEY.index` | the ids, digests and labels of a dataset that was read to its end                           |

A segment has one writer, which only appends: first rows, then their keys.  So whenever a process ends, each whole key
has its row, and several processes may write at the same time.
"""

from lit.store.digest import digest_of as digest_of
from lit.store.embeddings import EmbeddingStore as EmbeddingStore
from lit.store.index import DatasetIndex as DatasetIndex
from lit.store.index import index_key as index_key
