"""What a user meets first: start-up, help, version, completion, exit codes, streams."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys

import pytest
from shell import in_a_terminal

import lit as package

COMMANDS = ("classify", "embed", "eval", "train", "explain-text", "lint-prompts", "models", "completion")


def fastest(command, env, runs=7):
    """Seconds of processor time, which equals the clock's on an idle machine and says the same beside other work."""
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, env=env, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def test_start_up_is_instant(lit):
    """Targets: `import lit` under 0.15 s and `lit --help` under 0.4 s, beyond bare Python."""
    bare = fastest([sys.executable, "-c", "pass"], lit.env)
    assert fastest([sys.executable, "-c", "import lit"], lit.env) - bare < 0.15
    assert fastest(lit.command("--help"), lit.env) - bare < 0.4


@pytest.mark.parametrize(
    "arguments", [("--help",), ("models",), ("explain-text", "a cat"), ("lint-prompts", "everyday")]
)
def test_what_needs_no_towers_imports_no_jax(lit, arguments):
    code = (
        "import sys; from lit.cli.run import run; code = run(sys.argv[1:]); "
        "sys.exit(code or sorted({'jax', 'flax', 'pandas'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=lit.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
@pytest.mark.parametrize("columns", [60, 80, 140])
def test_help_is_for_people(lit, command, columns):
    done = lit(*command, "--help", env=lit.env | {"COLUMNS": str(columns)})
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.index("Examples:") < done.stdout.index("Options:")
    assert max(map(len, done.stdout.splitlines())) <= min(columns, 100)
    for words in re.findall(r"^  lit (\S+)", done.stdout, re.MULTILINE):
        assert words in COMMANDS
    assert lit(*command, "-h").stdout == lit(*command, "--help").stdout


def test_help_lists_every_command_whole(lit):
    out = lit("--help").stdout
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\S.*[.]$", out, re.MULTILINE)
    assert "..." not in out[out.index("Commands:") :]


def test_version(lit):
    assert lit("--version").stdout == f"lit {package.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no-such-command",), "No such command 'no-such-command'"),
        (("embed", "a.jpg"), "Missing option '-o'"),
        (("classify",), "Missing argument 'IMAGES...'"),
        (("classify", "a.jpg", "--precision", "float64"), "'float64' is not one of 'float32', 'bfloat16'"),
        (("classify", "a.jpg", "--top-k", "0"), "0 is not in the range"),
        (("classify", "a.jpg", "--protocol", "clp"), "'clp' is not one of"),
        (("classify", "a.jpg", "-c", "a", "--classes", "imagenet"), "exclude each other"),
        (("models", "--jsn"), "No such option '--jsn'"),
        (("completion", "tcsh"), "'tcsh' is not one of"),
    ],
)
def test_wrong_usage_exits_with_2(lit, arguments, message):
    done = lit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr


def test_models_in_a_pipe_and_for_programs(lit):
    lines = [line.split("\t") for line in lit("models").stdout.splitlines()]
    records = [json.loads(line) for line in lit("models", "--json").stdout.splitlines()]
    assert [line[0] for line in lines] == [record["name"] for record in records]
    assert records[1]["name"] == "LiT-B16B_2"
    assert records[1]["published"]["ImageNet zero-shot top-1"] == 0.739
    assert {len(line) for line in lines} == {8}
    card = json.loads(lit("models", "LiT-L16L", "--json").stdout)
    assert card["parameters"] == 638_443_521
    assert card["card"].startswith("# LiT-L16L")


def test_cards(lit):
    assert lit("models", "LiT-L16L").stdout == lit("models", "--card", "LiT-L16L").stdout
    embedded = json.loads(lit("models", "--json").stdout.splitlines()[0])["name"]
    assert lit("models", "--card").stdout == lit("models", embedded).stdout != ""


def test_a_terminal_gets_a_table_in_its_width_and_colour_unless_unwanted(lit):
    for columns in ("50", "100"):
        shown = re.sub(r"\x1b\[[0-9;]*m", "", in_a_terminal(lit, "models", COLUMNS=columns))
        assert "ImageNet" in shown
        assert max(map(len, shown.splitlines())) <= int(columns)
    card = ("models", "LiT-L16L")
    colours = re.compile(r"\x1b\[[0-9;]*3[0-7]")
    assert colours.search(in_a_terminal(lit, *card))
    assert not colours.search(in_a_terminal(lit, *card, NO_COLOR="1"))
    assert "\x1b" not in lit(*card).stdout


def test_a_reader_that_leaves_early_is_no_error(lit):
    line = f"{' '.join(lit.command('models', '--json'))} | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], env=lit.env, cwd=lit.cwd, capture_output=True, text=True)
    assert done.stdout == "{"
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_behind_standard_output_is_said(lit):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = lit("models", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == "lit: error: standard output cannot be written: No space left on device.\n"


def test_output_in_an_old_encoding_stays_readable(lit):
    done = lit("explain-text", "größe", "--json", env=lit.env | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 0
    assert json.loads(done.stdout)["text"] == "größe"


@pytest.fixture
def bash(lit):
    """Runs lines in bash, with `lit` on the path."""
    folder = lit.cwd.parent / "bin"
    folder.mkdir()
    (folder / "lit").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lit "$@"\n')
    (folder / "lit").chmod(0o755)

    def run(lines):
        env = lit.env | {"PATH": f"{folder}:{os.environ['PATH']}"}
        return subprocess.run(["bash", "-c", lines], env=env, cwd=lit.cwd, capture_output=True, text=True)

    return run


def completions(bash, *words):
    quoted = " ".join(f"'{word}'" for word in words)
    done = bash(
        f'eval "$(lit completion bash)"; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; '
        'function="$(complete -p lit | sed -E "s/.*-F ([^ ]+).*/\\1/")"; "$function" lit; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("lit", ""), set(COMMANDS)),
        (("lit", "cl"), {"classify"}),
        (("lit", "classify", "--pr"), {"--prompts", "--protocol", "--precision"}),
        (("lit", "classify", "--protocol", "b"), {"big-vision"}),
        (("lit", "classify", "--prompts", "clip-b"), {"clip-best"}),
        (("lit", "classify", "--classes", "image"), {"imagenet", "imagenet-a", "imagenet-r", "imagenette"}),
        (("lit", "eval", "cifar100"), {"cifar100", "cifar100-lit-colab"}),
        (("lit", "eval", "comp"), {"compare"}),
        (("lit", "embed", "--model", "LiT-B"), {"LiT-B16B", "LiT-B16B_2"}),
        (("lit", "models", "LiT-L16T"), {"LiT-L16Ti"}),
        (("lit", "completion", "f"), {"fish"}),
    ],
)
def test_bash_completes(bash, words, expected):
    assert set(completions(bash, *words)) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_accepted_by_their_shells(lit, shell):
    script = lit("completion", shell).stdout
    assert "_LIT_COMPLETE" in script
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=script, text=True).returncode == 0
