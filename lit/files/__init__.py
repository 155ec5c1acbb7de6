"""Published files on this machine: from the cache, or from the first mirror that has them.

`fetch` looks in the cache, then at the mirrors in order: those of the environment variable LIT_MIRRORS, those of the
configuration file, those of the table in `lit.zoo`.  What it returns is complete and has the right checksum.

| variable       | meaning                                                                            |
|----------------|------------------------------------------------------------------------------------|
| `LIT_CACHE`    | the cache; otherwise the platform's place for caches, `lit-jax` below it           |
| `LIT_MIRRORS`  | folders that hold files under their published names, separated by commas           |
| `LIT_CONFIG`   | the configuration file; otherwise `lit-jax/config.toml` in the platform's place    |
| `LIT_OFFLINE`  | `1`: never touch the network                                                       |
| `HF_ENDPOINT` `HF_TOKEN` `HF_HUB_OFFLINE` | for `hf://` addresses, as on the hub                    |

The configuration file::

    [mirrors]
    roots = ["https://weights.example.org/lit", "hf://someone/lit-weights@main", "gs://bucket/lit", "~/weights"]

    [mirrors.files]                       # complete addresses of single files
    "LiT-B16B_2.npz" = ["https://example.org/copy-of-b16b2.npz"]

A root is an address in one of the forms above, or `file://`, or `http://`.
"""

from lit.files.locate import cached as cached
from lit.files.locate import fetch as fetch
from lit.files.settings import Network as Network
from lit.files.settings import cache_directory as cache_directory
from lit.files.verify import checksum as checksum
