"""`lit classify` and `lit explain-text`: the same numbers as in Python, for people and for programs."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from shell import in_a_terminal, save_picture

import lit as package
from lit.loading import load

WORDS = ("-c", "cat", "-c", "dog", "-c", "red car")


def records(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_probabilities_are_those_of_python(lit, photos, tiny_bundle):
    found = records(lit("classify", "photos", *WORDS, "--json", "--model", tiny_bundle, "-q"))
    files = [lit.cwd / record["image"] for record in found]
    assert len(files) == 6
    clf = package.ZeroShotClassifier(load(tiny_bundle), ["cat", "dog", "red car"], prompts="clip-best")
    expected = clf.predict_proba(files)
    for record, row in zip(found, expected, strict=True):
        assert [label["class"] for label in record["top"]] == [clf.class_names[i] for i in np.argsort(-row)]
        # Embeddings are the same to the last bit; their product with the classes rounds as the number of rows has it.
        np.testing.assert_allclose([label["probability"] for label in record["top"]], np.sort(row)[::-1], atol=1e-6)
        assert -1 <= record["top"][0]["similarity"] <= 1


def test_a_pipe_gets_tab_separated_lines(lit, photos, tiny_bundle):
    done = lit("classify", "photos/a.jpg", "photos/c d.jpg", *WORDS, "-k", "2", "--model", tiny_bundle)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["photos/a.jpg"] * 2 + ["photos/c d.jpg"] * 2
    assert all(row[1] in ("cat", "dog", "red car") for row in rows)
    assert all(re.fullmatch(r"[01]\.\d{4}", row[2]) for row in rows)
    assert done.stderr == ""


@pytest.mark.slow
def test_a_table_can_be_had_in_a_pipe(lit, photos, tiny_bundle):
    done = lit("classify", "photos/a.jpg", "-c", "cat", "-c", "dog", "--table", "--model", tiny_bundle)
    assert done.returncode == 0, done.stderr
    assert "a.jpg" in done.stdout
    assert "%" in done.stdout
    assert "\t" not in done.stdout
    assert "\x1b" not in done.stdout
    both = lit("classify", "photos/a.jpg", "--json", "--table")
    assert both.returncode == 2
    assert "exclude each other" in both.stderr


def test_a_terminal_gets_a_table(lit, photos, tiny_bundle):
    command = ("classify", "photos/deep", *WORDS, "--model", tiny_bundle)
    shown = in_a_terminal(lit, *command, COLUMNS="70", NO_COLOR="1")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "photos/deep/größe/猫.jpg" in shown
    assert "tiny · 3 classes · prompts clip-best" in shown
    assert "█" in shown
    assert max(map(len, shown.splitlines())) <= 70


def test_classes_and_prompts_from_files(lit, photos, tiny_bundle):
    (lit.cwd / "wörter.txt").write_text("# mine\ncat => cat | red cat\ndog\n")
    (lit.cwd / "prompts.txt").write_text("a {} {\n")
    command = ("classify", "photos/a.jpg", "--classes", "wörter.txt", "--prompts", "prompts.txt", "--json", "-q")
    top = records(lit(*command, "--model", tiny_bundle))[0]["top"]
    assert {label["class"] for label in top} == {"cat", "dog"}


@pytest.mark.slow
def test_protocols(lit, photos, tiny_bundle):
    command = ("classify", "photos/a.jpg", *WORDS, "--json", "-q", "--model", tiny_bundle, "--protocol", "big-vision")
    top = records(lit(*command))[0]["top"]
    clf = package.ZeroShotClassifier(load(tiny_bundle), ["cat", "dog", "red car"], protocol="big-vision")
    expected = clf.predict_proba([photos / "a.jpg"])[0]
    np.testing.assert_allclose([label["probability"] for label in top], np.sort(expected)[::-1], atol=1e-6)


def test_without_words_there_is_a_list_of_everyday_ones(lit, photos, tiny_bundle):
    top = records(lit("classify", "photos/a.jpg", "--json", "-q", "--model", tiny_bundle))[0]["top"]
    assert len(top) == 5
    assert {label["class"] for label in top} <= set(package.load_classes("everyday"))


@pytest.mark.parametrize(("suffix", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP")])
def test_the_contact_sheet(lit, photos, tiny_bundle, suffix, kind):
    done = lit("classify", "photos", *WORDS, "--save", f"sheet.{suffix}", "--model", tiny_bundle)
    assert done.returncode == 0, done.stderr
    with Image.open(lit.cwd / f"sheet.{suffix}") as sheet:
        assert sheet.format == kind
        assert done.stderr == f"lit: saved sheet.{suffix} ({sheet.width} x {sheet.height} pixels)\n"
        assert min(sheet.size) > 800
    assert [f for f in lit.files() if "sheet" in f] == [f"sheet.{suffix}"]


def test_good_pictures_are_classified_beside_bad_ones(lit, photos, tiny_bundle):
    (photos / "bad.jpg").write_text("hello")
    command = ("classify", "photos", *WORDS, "--json", "--save", "sheet.png", "--model", tiny_bundle)
    done = lit(*command)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 6
    assert done.stderr.splitlines()[-1].startswith("lit: error: photos/bad.jpg: ")
    assert (lit.cwd / "sheet.png").exists()
    done = lit(*command, "--skip-bad", "-q")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 6)
    assert done.stderr.startswith("lit: left out photos/bad.jpg: ")


@pytest.mark.slow
def test_an_unwritable_cache_costs_a_warning(lit, photos, tiny_bundle):
    (lit.cwd / "file").write_text("not a folder")
    env = lit.env | {"LIT_CACHE": str(lit.cwd / "file")}
    done = lit("classify", "photos/a.jpg", *WORDS, "--json", "--model", tiny_bundle, env=env)
    assert len(records(done)) == 1
    lines = done.stderr.splitlines()
    assert lines
    assert all(line.startswith("lit: warning: ") for line in lines)
    assert "set LIT_CACHE" in lines[0]


@pytest.mark.slow
def test_a_damaged_cache_does_no_harm(lit, photos, tiny_bundle, tmp_path):
    """A kill, or a full disk, can leave any file of the cache half-written."""
    env = lit.env | {"LIT_CACHE": str(tmp_path / "cache")}
    command = ("classify", "photos/a.jpg", *WORDS, "--json", "-q", "--model", tiny_bundle)
    first = records(lit(*command, env=env))
    entries = [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert [p for p in entries if p.parent.name == "xla"]
    assert [p for p in entries if p.parent.name == "classes"]
    for cut in (0.5, 0):
        for path in entries:
            path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
        done = lit(*command, env=env)
        assert records(done) == first
        assert "Traceback" not in done.stderr


def test_explanations(lit, tiny_bundle):
    found = records(lit("explain-text", "a cat", "a dog " * 40, "--json", "--model", tiny_bundle))
    assert found[0]["pieces"][:3] == ["[CLS]", "a", "cat"]
    assert found[0]["cut"] == []
    assert len(found[1]["ids"]) == 64
    assert found[1]["cut"]
    plain = lit("explain-text", "a cat", "--model", tiny_bundle).stdout.splitlines()
    assert plain[1] == f"a\t{found[0]['ids'][1]}\tkept"
    assert "Cut off" in in_a_terminal(lit, "explain-text", "a dog " * 40, "--model", tiny_bundle)


@pytest.mark.slow
def test_a_very_long_text_is_explained_and_classified(lit, photos, tiny_bundle):
    long = "the red cat " * 834
    assert len(long) > 10_000
    found = records(lit("explain-text", long, "--json", "--model", tiny_bundle))[0]
    assert len(found["cut"]) > 2000
    done = lit("classify", "photos/a.jpg", "-c", long, "-c", "dog", "--json", "--model", tiny_bundle)
    assert len(records(done)) == 1


def test_explaining_needs_a_vocabulary_alone(lit, tiny_bundle):
    for path in tiny_bundle.iterdir():
        if path.name in ("config.json", "vocab.txt"):
            (lit.cwd / "model").mkdir(exist_ok=True)
            (lit.cwd / "model" / path.name).write_bytes(path.read_bytes())
    assert records(lit("explain-text", "a cat", "--json", "--model", "model"))[0]["used"] >= 3


def test_lists_are_looked_through(lit, tiny_bundle):
    (lit.cwd / "words.txt").write_text("cat\ndog\ncat\nCAT\n猫\n" + "red cat " * 60 + "\n")
    done = lit("lint-prompts", "words.txt", "--prompts", "plain", "--json", "--model", tiny_bundle)
    assert done.returncode == 1
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert set(kinds) == {"duplicate", "same-tokens", "unknown-token", "truncated"}
    assert done.stderr == f"lit: classes: 6, prompts: 1, findings: {len(kinds)}\n"
    (lit.cwd / "words.txt").write_text("cat\ndog\n")
    done = lit("lint-prompts", "words.txt", "--prompts", "plain", "--model", tiny_bundle)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
def test_ctrl_c_while_loading(lit, photos, tiny_bundle):
    """At whatever moment it comes: no traceback, and 130."""
    for wait in np.linspace(0.8, 3.0, 12):
        process = lit.start("classify", "photos", "--save", "sheet.png", "--model", tiny_bundle)
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode in (0, 130), err
        assert "Traceback" not in err
        assert not [f for f in lit.files() if "lit-tmp" in f]


@pytest.mark.slow
def test_one_picture_takes_less_than_a_gigabyte(lit, tmp_path):
    """With the embedded model, first and later; how long it takes is measured by eval/speed.py."""
    save_picture(lit.cwd / "one.jpg", np.random.default_rng(0), side=400)
    env = lit.env | {"LIT_CACHE": str(tmp_path / "cache")}
    # Started by a small process: what a child used at most includes what its parent held when it forked.
    code = (
        "import os, subprocess, sys; process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "_, status, usage = os.wait4(process.pid, 0); print(status, usage.ru_maxrss)"
    )
    for _ in range(2):
        command = [sys.executable, "-c", code, *lit.command("classify", "one.jpg")]
        done = subprocess.run(command, env=env, cwd=lit.cwd, capture_output=True, text=True)
        status, kilobytes = map(int, done.stdout.split())
        assert status == 0, done.stderr
        assert kilobytes < 1_000_000
