"""Small corpora of pictures with captions, for tests, as people have them on disk."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
from prepared import jpeg, write_tar

from lit.tokenizers import Tokenizer, load_tokenizer


def captions(i: int) -> tuple[str, ...]:
    """One, two or three for picture i; no two alike in 90 pictures."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    word = letters[i // 26] + letters[i % 26]
    return tuple(f"{word} {what}" for what in ("cat", "dog", "car")[: 1 + i % 3])


def write_folder(folder: Path, n: int) -> Path:
    """Pictures `a/000.jpg`, ... with `a/000.txt` beside them."""
    (folder / "a").mkdir(parents=True)
    for i in range(n):
        (folder / "a" / f"{i:03d}.jpg").write_bytes(jpeg(i))
        (folder / "a" / f"{i:03d}.txt").write_text("\n".join(captions(i)) + "\n")
    return folder


def write_manifest(folder: Path, suffix: str, n: int) -> Path:
    """`pairs.csv` (or other) with a row for each caption, beside the pictures."""
    folder.mkdir(parents=True)
    for i in range(n):
        (folder / f"{i:03d}.jpg").write_bytes(jpeg(i))
    rows = [{"image": f"{i:03d}.jpg", "text": text} for i in range(n) for text in captions(i)]
    path = folder / f"pairs{suffix}"
    if suffix == ".parquet":
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        path.write_text("image,text\n" + "".join(f"{row['image']},{row['text']}\n" for row in rows))
    return path


def img2dataset_sample(i: int, caption: str | None, *, picture: bytes | None = None) -> list[tuple[str, bytes]]:
    """What img2dataset writes of one row; without a picture, it could not be downloaded."""
    key, said = (
        f"{i:09d}",
        {"caption": caption, "key": f"{i:09d}", "status": "success" if picture else "failed_to_download"},
    )
    members = [(f"{key}.jpg", picture)] if picture else []
    return [*members, (f"{key}.json", json.dumps(said).encode()), (f"{key}.txt", (caption or "").encode())]


def write_tars(folder: Path, n: int) -> Path:
    """Two tars with n pictures in all, a caption each."""
    for shard in range(2):
        members = [m for i in range(shard, n, 2) for m in img2dataset_sample(i, captions(i)[0], picture=jpeg(i))]
        write_tar(folder / f"{shard:05d}.tar", members)
    return folder


def tokenizer(bundle: Path) -> Tokenizer:
    """Of the tiny model."""
    from tiny import tiny_config

    return load_tokenizer(tiny_config().tokenizer, bundle / "vocab.txt")
