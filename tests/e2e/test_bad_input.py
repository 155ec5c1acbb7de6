"""Whatever is wrong with what the user gives: one line that says what to do, exit code 1, and no trace on disk."""

import json
import os
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

WORDS = ("-c", "cat", "-c", "dog")


@pytest.fixture
def fails(lit):
    """Runs a command that must fail properly, and gives its message."""

    def run(*arguments, match, env=None, lines=1):
        before = lit.files()
        done = lit(*arguments, env=lit.env | (env or {}))
        assert done.returncode == 1, done.stdout + done.stderr
        assert done.stdout == ""
        said = done.stderr.splitlines()
        assert len(said) == lines, done.stderr
        assert all(line.startswith("lit: ") for line in said)
        assert said[-1].startswith("lit: error: ")
        assert re.search(match, said[-1]), said[-1]
        assert lit.files() == before
        return said[-1]

    return run


def test_unknown_model(fails):
    fails("classify", ".", "--model", "LiT-B16", match="no images|unknown model")
    fails("models", "LiT-L16X", match=r"unknown model 'LiT-L16X'\. Did you mean 'LiT-L16.*A folder")
    fails("explain-text", "hi", "--model", "lit-b16b", match="unknown model 'lit-b16b'.*Did you mean 'LiT-B16B'")


def test_unknown_prompts_and_classes(fails, photos, tiny_bundle):
    command = ("classify", "photos/a.jpg", "--model", tiny_bundle)
    fails(*command, *WORDS, "--prompts", "clip-bst", match="unknown prompt set 'clip-bst'.*Did you mean 'clip-best'")
    fails(*command, "--classes", "imagnet", match="unknown class list 'imagnet'.*Did you mean 'imagenet'")
    fails(*command, "--classes", "no/such.txt", match=r"no/such\.txt is not there")


def test_lists_that_cannot_be_used(fails, lit, photos, tiny_bundle):
    command = ("classify", "photos/a.jpg", "--model", tiny_bundle)
    (lit.cwd / "bare.txt").write_text("a photo of a {}.\na photo.\n")
    fails(*command, *WORDS, "--prompts", "bare.txt", match=r"bare\.txt, line 2: 'a photo\.' has no \{\}")
    (lit.cwd / "empty.txt").write_text("# nothing\n\n")
    fails(*command, "--classes", "empty.txt", match=r"empty\.txt holds no entry")
    (lit.cwd / "latin.txt").write_bytes("größe\n".encode("latin-1"))
    fails(*command, "--classes", "latin.txt", match="is not UTF-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-c", "cat"), "there is one class, 'cat'"),
        (("-c", "cat", "-c", "dog", "-c", "cat"), "more than once: cat"),
        (("-c", "cat", "-c", " "), "' ' is not a class name"),
        ((*WORDS, "-k", "3"), "--top-k is 3, and there are 2 classes"),
    ],
)
def test_words_that_cannot_be_used(fails, photos, tiny_bundle, words, message):
    fails("classify", "photos/a.jpg", *words, "--model", tiny_bundle, match=message)


def bomb():
    """A PNG of a few bytes that says it is 60000 x 60000."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_odd_pictures_are_each_named(lit, photos, tiny_bundle):
    odd = lit.cwd / "odd"
    odd.mkdir()
    (odd / "bomb.png").write_bytes(bomb())
    (odd / "empty.jpg").write_bytes(b"")
    (odd / "half.jpg").write_bytes((photos / "a.jpg").read_bytes()[:400])
    (odd / "text.png").write_text("hello")
    (odd / "two\nlines.gif").write_text("hello")
    if os.getuid():
        (odd / "secret.jpg").write_bytes((photos / "a.jpg").read_bytes())
        (odd / "secret.jpg").chmod(0)
    before = lit.files()
    done = lit("classify", "odd", *WORDS, "--model", tiny_bundle)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    names = sorted(path.name.replace("\n", " ") for path in odd.iterdir())
    assert sorted(line.split(": ")[2] for line in lines) == [f"odd/{name}" for name in names]
    assert lit.files() == before
    done = lit("embed", "odd", "-o", "odd.npz", "--model", tiny_bundle)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == len(names) + 1
    assert "Traceback" not in done.stderr
    assert lit.files() == before


def test_odd_pictures_that_have_a_meaning(lit, tiny_bundle):
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (30, 20, 4), dtype=np.uint8))
    noise.save(lit.cwd / "alpha.png")
    noise.convert("L").save(lit.cwd / "grey.jpg")
    noise.convert("P").save(lit.cwd / "palette.gif")
    noise.convert("CMYK").save(lit.cwd / "cmyk.jpg")
    Image.fromarray(rng.integers(0, 65536, (30, 20), dtype=np.uint16)).save(lit.cwd / "sixteen.png")
    Image.new("1", (1, 1)).save(lit.cwd / "pixel.bmp")
    done = lit("classify", ".", *WORDS, "--json", "--model", tiny_bundle)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 6


def test_paths_that_hold_no_pictures(fails, lit, photos):
    fails("classify", "photos/a.jpg", "gone.jpg", "away/", match="no such file or folder: gone.jpg, away")
    (lit.cwd / "bare").mkdir()
    fails("embed", "bare", "-o", "a.npz", match="no images in bare")


def test_outputs_that_cannot_be_written(fails, lit, photos, tiny_bundle):
    embed, classify = ("embed", "photos", "-o"), ("classify", "photos", "--save")
    fails(*embed, "photos", match="photos is a folder; name a file in it, such as photos/result.npz")
    fails(*embed, "a.csv", match=r"a\.csv has the suffix '\.csv'; it must be one of \.npz, \.parquet")
    fails(*embed, "no/a.npz", match="there is no folder no; make it first")
    fails(*classify, "a.gif", match=r"it must be one of \.png, \.jpg, \.jpeg, \.webp")
    fails(*classify, "photos/a.jpg/a.png", match="there is no folder photos/a.jpg")
    if os.getuid():
        (lit.cwd / "locked").mkdir(mode=0o555)
        fails(*embed, "locked/a.npz", match="the folder locked is not writable for you")


def changed_bundle(bundle, folder, change):
    """A copy with other parameters."""
    folder.mkdir()
    for path in bundle.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    with safetensors.safe_open(folder / "model.safetensors", framework="numpy") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    change(tensors)
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", metadata=metadata)


def _nan(tensors):
    tensors["img/embedding/bias"] = np.full_like(tensors["img/embedding/bias"], np.nan)


def _several(tensors):
    tensors["img/embedding/biased"] = tensors.pop("img/embedding/bias")
    tensors["t"] = np.zeros(2, np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_nan, "img/embedding/bias"),
        (
            _several,
            r"1 missing: img/embedding/bias; 1 unexpected: img/embedding/biased; 1 of the wrong shape: t is \(2,\)",
        ),
    ],
)
def test_parameters_that_do_not_fit(fails, lit, photos, tiny_bundle, change, message):
    changed_bundle(tiny_bundle, lit.cwd / "model", change)
    fails("classify", "photos/a.jpg", *WORDS, "--model", "model", match=message)


@pytest.mark.slow
def test_saved_models_that_are_broken(fails, lit, photos, tiny_bundle):
    changed_bundle(tiny_bundle, lit.cwd / "model", lambda tensors: None)
    command = ("classify", "photos/a.jpg", *WORDS, "--model", "model")
    weights = lit.cwd / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    fails(*command, match="model.safetensors is truncated or corrupt")
    weights.unlink()
    fails(*command, match="model.safetensors is missing")
    (lit.cwd / "model" / "config.json").write_text("{")
    fails(*command, match="config.json is not the configuration of a model")
    fails("models", "model", match="config.json cannot be used")
    fails("classify", "photos/a.jpg", "--model", "photos", match="photos is not a complete bundle: config.json")


@pytest.mark.slow
def test_files_for_a_released_model(fails, lit, photos, tiny_bundle):
    command = ("classify", "photos/a.jpg", *WORDS, "--model", "LiT-B16B_2")
    vocab = Path(__file__).parents[1] / "golden" / "data" / "tokens" / "bert_vocab.txt"
    fails(*command, "--vocab", tiny_bundle / "vocab.txt", match="is not the published LiT-B16B_2.txt")
    fails(*command, "--vocab", vocab, "--weights", "gone.npz", match="gone.npz is not a file; check the path")
    (lit.cwd / "w.npz").write_bytes(b"PK\x03\x04 and no more")
    fails(*command, "--vocab", vocab, "--weights", "w.npz", match=r"w\.npz")
    np.savez(lit.cwd / "few.npz", t=np.zeros(1, np.float32))
    fails(*command, "--vocab", vocab, "--weights", "few.npz", match="few.npz does not fit the model; nothing was")
    fails("classify", "photos/a.jpg", "--weights", "w.npz", match="brings its own weights")
    fails("explain-text", "hi", "--model", "LiT-B16B_2", "--vocab", "gone.txt", match="gone.txt is not a file")


def test_no_network(fails, lit, photos, tmp_path):
    env = {"LIT_CACHE": str(tmp_path / "cache"), "LIT_OFFLINE": "0"}
    command = ("explain-text", "hi", "--model", "LiT-L16S", "--offline")
    message = fails(*command, env=env, match="LiT-L16S.model is in none of 2 places")
    assert "LIT_MIRRORS" in message
    fails("classify", "photos/a.jpg", "--model", "LiT-L16S", "--offline", env=env, match="LiT-L16S.model is in none")


def test_a_tampered_mirror(fails, lit, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "LiT-B16B_2.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nevil\n")
    env = {"LIT_CACHE": str(tmp_path / "cache"), "LIT_MIRRORS": str(mirror)}
    fails("explain-text", "hi", "--model", "LiT-B16B_2", env=env, match="LiT-B16B_2.txt")
    assert not list((tmp_path / "cache").rglob("*.txt"))


def test_a_bug_shows_its_traceback(lit, photos, tiny_bundle):
    """Anything that is not a LitError is a bug, and a bug is not hidden."""
    (lit.cwd / "sitecustomize.py").write_text(
        "import lit.images as i\ndef broken(paths): raise ZeroDivisionError('a bug')\ni.find_images = broken\n"
    )
    done = lit("classify", "photos", env=lit.env | {"PYTHONPATH": str(lit.cwd)})
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1] == "ZeroDivisionError: a bug"


def test_json_of_odd_names_is_json(lit, tiny_bundle):
    Image.new("RGB", (20, 20)).save(lit.cwd / "a.png")
    try:
        os.rename(os.fsencode(lit.cwd / "a.png"), os.fsencode(str(lit.cwd)) + b'/caf\xe9 ".png')  # noqa: PTH104
    except OSError:
        pytest.skip("the file system refuses such names")
    done = lit("classify", ".", *WORDS, "--json", "--model", tiny_bundle)
    assert json.loads(done.stdout)["image"] == 'caf\udce9 ".png'


def test_a_place_where_no_file_can_be_made(lit, photos, tiny_bundle):
    done = lit("embed", "photos", "-o", "/proc/a.npz", "--model", tiny_bundle)
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
