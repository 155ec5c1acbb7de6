"""What an address means, and what it never gives away."""

from pathlib import Path

import pytest

from lit.files.addresses import below, is_loopback, parse


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("gs://vit_models/lit/LiT-B16B.npz", "https://storage.googleapis.com/vit_models/lit/LiT-B16B.npz"),
        ("gs://b/a folder/x.npz", "https://storage.googleapis.com/b/a%20folder/x.npz"),
        ("hf://me/repo/x.npz", "https://huggingface.co/me/repo/resolve/main/x.npz"),
        ("hf://me/repo@v1/a/x.npz", "https://huggingface.co/me/repo/resolve/v1/a/x.npz"),
        ("hf://datasets/me/repo/x.npz", "https://huggingface.co/datasets/me/repo/resolve/main/x.npz"),
        ("HTTPS://Example.org/x.npz#part", "https://Example.org/x.npz"),
        ("http://localhost:8000/x", "http://localhost:8000/x"),
    ],
)
def test_remote_addresses(text, url):
    address = parse(text)
    assert (address.url, address.local) == (url, None)
    assert address.authorization == ""


def test_local_addresses():
    assert parse("/data/x.npz").local == Path("/data/x.npz")
    assert parse("data/x.npz", home=Path("/home")).local == Path("/home/data/x.npz")
    assert parse("/data/x.npz", home=Path("/home")).local == Path("/data/x.npz")
    assert parse("file:///my%20data/x.npz").local == Path("/my data/x.npz")
    assert parse("~/x.npz").local == Path.home() / "x.npz"


@pytest.mark.parametrize(
    ("root", "address"),
    [
        ("https://host/lit", "https://host/lit/x.npz"),
        ("https://host/lit/", "https://host/lit/x.npz"),
        ("https://host", "https://host/x.npz"),
        ("https://host/lit?sig=1", "https://host/lit/x.npz?sig=1"),
        ("gs://bucket", "gs://bucket/x.npz"),
        ("/data/", "/data/x.npz"),
        (".", "x.npz"),
    ],
)
def test_a_file_below_a_root(root, address):
    assert below(root, "x.npz") == address


def test_passwords_and_query_strings_stay_out_of_messages():
    address = parse("https://me:p%40ss@host/x.npz?sig=SECRET")
    assert address.authorization == "Basic bWU6cEBzcw=="
    assert address.url == "https://host/x.npz?sig=SECRET"
    assert address.shown == "https://host/x.npz?..."
    assert "bWU6" not in repr(address)


def test_the_hubs_token_travels_encrypted_or_not_at_all(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_SECRET")
    assert parse("hf://me/repo/x.npz").authorization == "Bearer hf_SECRET"
    assert parse("https://host/x.npz").authorization == ""
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example.org")
    assert parse("hf://me/repo/x.npz").authorization == ""


def test_loopback():
    assert all(map(is_loopback, ["http://localhost:1/", "http://127.0.0.1/", "http://[::1]:80/"]))
    assert not any(map(is_loopback, ["http://10.0.0.1/", "http://localhost.example.org/", "x"]))
