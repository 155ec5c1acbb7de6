"""`lit eval`: the figures of Python, files that are whole, and errors before the work."""

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from labelled import answers, save_folders
from shell import in_a_terminal

from lit.loading import load
from lit.report import load as load_report


@pytest.fixture
def pictures(lit, tiny_model):
    """Class folders whose labels the tiny model gets right, but for three."""
    shown, labels = answers(tiny_model)
    labels[[1, 9, 20]] = (labels[[1, 9, 20]] + 1) % 4
    return save_folders(lit.cwd / "pictures", shown, labels)


def test_a_folder_of_class_folders_is_a_dataset(lit, pictures, tiny_bundle):
    done = lit("eval", "pictures", "--model", tiny_bundle, "--json", "-q")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["figures"]["top1"]["value"] == 21 / 24
    assert found["figures"]["top1"]["n"] == 24
    assert found["seal"]["model"]["weights"].endswith(load(tiny_bundle).weights_digest)


@pytest.mark.slow
def test_a_pipe_gets_lines_and_a_terminal_words(lit, pictures, tiny_bundle):
    done = lit("eval", "pictures", "--model", tiny_bundle, "-q")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0][0] == "top1"
    assert float(rows[0][1]) == 0.875
    assert float(rows[0][2]) < 0.875 < float(rows[0][3])
    shown = in_a_terminal(lit, "eval", "pictures", "--model", tiny_bundle, "-q")
    assert "Top-1 accuracy 87.5 %" in shown
    assert "n = 24" in shown


@pytest.mark.slow
def test_files_hold_the_report_and_are_not_replaced_unasked(lit, pictures, tiny_bundle):
    command = ("eval", "pictures", "--model", tiny_bundle, "-o", "r.json", "--html", "r.html")
    done = lit(*command)
    assert done.returncode == 0, done.stderr
    assert "saved r.json" in done.stderr
    report = load_report(lit.cwd / "r.json")
    assert report.accuracy == 0.875
    page = (lit.cwd / "r.html").read_text()
    assert "87.5" in page
    assert page.count("data:image/jpeg") == 6  # the three mistakes, as the surest and by what they are taken for
    before = (lit.cwd / "r.json").read_bytes()
    again = lit(*command)
    assert again.returncode == 1
    assert "r.json is there already; pass --overwrite" in again.stderr
    assert (lit.cwd / "r.json").read_bytes() == before
    assert lit(*command, "--overwrite").returncode == 0


@pytest.mark.slow
def test_two_reports_are_compared_in_words(lit, pictures, tiny_bundle):
    for name, protocol in (("a.json", "clip"), ("b.json", "lit-colab")):
        lit("eval", "pictures", "--model", tiny_bundle, "-q", "-o", name, "--protocol", protocol, check=True)
    done = lit("eval", "compare", "a.json", "b.json")
    assert done.returncode == 0, done.stderr
    assert "same 24 images" in done.stdout
    assert "averaging" in done.stdout
    found = json.loads(lit("eval", "compare", "a.json", "b.json", "--json").stdout)
    assert found["seals"]["comparable"] is False
    assert found["paired"]["n"] == 24
    broken = lit.cwd / "broken.json"
    broken.write_bytes((lit.cwd / "a.json").read_bytes()[:-40])
    done = lit("eval", "compare", "a.json", "broken.json")
    assert done.returncode == 1
    assert done.stderr.startswith("lit: error: broken.json")


@pytest.mark.slow
def test_the_gap_is_a_table_and_a_picture(lit, pictures, tiny_bundle):
    done = lit("eval", "pictures", "--model", tiny_bundle, "-q", "--explain-gap", "--gap-image", "gap.svg")
    assert done.returncode == 0, done.stderr
    gap = [line.split("\t") for line in done.stdout.splitlines() if line.startswith("gap\t")]
    assert {"templates", "averaging", "crop", "antialias", "precision"} <= {row[1] for row in gap}
    assert (lit.cwd / "gap.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("eval", "cifar-10"), 1, "Did you mean 'cifar10'"),
        (("eval", "objectnet"), 1, "no dataset in tfds"),
        (("eval", "nowhere/"), 1, "nowhere"),
        (("eval", "pictures", "--few-shot", "1,x"), 2, "write whole numbers with commas"),
        (("eval", "pictures", "--few-shot", "1"), 1, "few-shot needs examples"),
        (("eval", "pictures", "--gap-image", "g.svg"), 2, "belong to --explain-gap"),
        (("eval", "pictures", "-o", "r.txt"), 1, "must be one of .json"),
        (("eval", "pictures", "-o", "no/r.json"), 1, "there is no folder no"),
        (("eval", "pictures", "--process", "1"), 2, "belong to --coordinator"),
        (("eval", "pictures", "--data", "pictures"), 1, "is data and not a suite"),
        (("eval", "cifar10", "--data", "pictures"), 1, "labels are not those of suite cifar10"),
    ],
)
def test_what_cannot_work_is_said_at_once(lit, pictures, tiny_bundle, arguments, code, said):
    before = lit.files()
    done = lit(*arguments, "--model", tiny_bundle)
    assert done.returncode == code, done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert lit.files() == before


def test_a_broken_picture_is_named(lit, pictures, tiny_bundle):
    (pictures / "green" / "broken.jpg").write_bytes(b"\xff\xd8\xffnothing")
    done = lit("eval", "pictures", "--model", tiny_bundle)
    assert done.returncode == 1
    assert "green/broken.jpg" in done.stderr
    assert "--skip-bad" in done.stderr
    done = lit("eval", "pictures", "--model", tiny_bundle, "--skip-bad", "--json", "-q")
    assert [e["id"] for e in json.loads(done.stdout)["excluded"]] == ["green/broken.jpg"]


def test_help_shows_the_options_without_the_word_run(lit):
    shown = lit("eval", "--help").stdout
    assert shown.startswith("Usage: lit eval [OPTIONS] SUITE")
    assert "--data-dir" in shown
    assert "lit eval compare A B" in shown
    assert lit("eval").returncode == 0


def test_suites_are_listed_with_published_figures(lit):
    rows = {line.split("\t")[0]: line.split("\t") for line in lit("eval", "suites").stdout.splitlines()}
    assert "LiT-B16B_2 73.9" in rows["imagenet2012"][5]
    assert rows["fgvc_aircraft"][1] == "(your files)"
    assert len(rows) >= 33


@pytest.mark.slow
def test_ctrl_c_says_what_is_kept_and_the_next_run_continues(lit, tiny_bundle):
    rng = np.random.default_rng(0)
    shown = rng.integers(0, 256, (2000, 300, 300, 3), dtype=np.uint8)
    save_folders(lit.cwd / "many", shown, [i % 4 for i in range(len(shown))])
    process = lit.start("eval", "many", "--model", tiny_bundle)
    deadline = time.monotonic() + 600
    while not any(p.stat().st_size > 4096 for p in Path(lit.env["LIT_CACHE"]).rglob("embeddings/*/*.rows")):
        assert process.poll() is None, "it was done before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130, said
    assert "the same command continues there" in said
    done = lit("eval", "many", "--model", tiny_bundle, "--json", "-q")
    timing = json.loads(done.stdout)["timing"]
    assert timing["computed"] + timing["reused"] == 2000
    assert timing["reused"] > 0
