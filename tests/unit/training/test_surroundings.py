"""What surrounds the steps: the log, the events, the live line, the meter, signals, the plan's words."""

import io
import json
import signal

import pytest

from lit.errors import OutputError
from lit.progress import duration
from lit.training.events import Events
from lit.training.live import Live
from lit.training.meter import Meter
from lit.training.metrics_log import MetricsLog, read_metrics
from lit.training.reporter import Reporter
from lit.training.signals import Terminated, stop_on_signals

RECORD = {
    "step": 120, "loss": 3.21, "image_to_text": 0.4, "text_to_image": 0.42, "logit_scale": 12.34,
    "seconds_per_step": 2.0, "pairs_per_second": 8120.4, "waiting": 0.021,
}  # fmt: skip


def test_a_log_grows_and_is_cut_back_to_the_step_it_resumes_at(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with MetricsLog(path, step=0) as log:
        for step in range(1, 6):
            log.append({"step": step, "loss": step / 2})
    path.write_text(path.read_text() + '{"step": 6, "lo')  # killed in the middle of a line
    with MetricsLog(path, step=3) as log:
        log.append({"step": 4, "loss": float("nan")})
    assert read_metrics(path) == [
        {"step": 1, "loss": 0.5}, {"step": 2, "loss": 1.0}, {"step": 3, "loss": 1.5}, {"step": 4, "loss": None},
    ]  # fmt: skip
    assert read_metrics(tmp_path / "none") == []


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(OutputError, match=r"none/metrics.jsonl could not be written"):
        MetricsLog(tmp_path / "none" / "metrics.jsonl", step=0)


@pytest.mark.slow  # importing TensorFlow
def test_tensorboards_own_reader_reads_the_events(tmp_path):
    """The framing with its checksums, and the messages in it."""
    tensorflow = pytest.importorskip("tensorflow")
    with Events(tmp_path, step=7) as events:
        events.append(300, {"loss": 0.5, "logit_scale": 12.25})
        events.append(301, {"loss": 0.25})
    (path,) = tmp_path.glob("events.out.tfevents.*")
    raw = list(tensorflow.data.TFRecordDataset(str(path)).as_numpy_iterator())
    found = [tensorflow.compat.v1.Event.FromString(record) for record in raw]
    assert found[0].file_version == "brain.Event:2"
    assert (found[1].step, found[1].session_log.status) == (7, 1)
    scalars = [(e.step, {v.tag: v.simple_value for v in e.summary.value}) for e in found[2:]]
    assert scalars == [(300, {"loss": 0.5, "logit_scale": 12.25}), (301, {"loss": 0.25})]


def test_the_live_line_says_everything():
    assert Live(5000, enabled=True).line(RECORD) == (
        "step 120 of 5,000, loss 3.21, in batch 41.0 %, logit scale 12.3, 8,120 pairs/s, waiting 2 %, 2 h 42 min left"
    )


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_the_last_step_is_always_shown(monkeypatch, stream):
    shown = stream()
    monkeypatch.setattr("sys.stderr", shown)
    live = Live(120, enabled=True)
    live.show(RECORD)
    live.close()
    assert shown.getvalue().count("step 120 of 120") == 1
    assert shown.getvalue().startswith("\r") == shown.isatty()
    assert shown.getvalue().endswith("\n")


def test_a_quiet_run_shows_nothing(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    Live(120, enabled=False).show(RECORD)
    assert shown.getvalue() == ""


def test_a_reporter_writes_down_every_figure_and_shows_those_of_steps(tmp_path, monkeypatch):
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    reporter = Reporter(tmp_path, 120, shows=True, writes=True)
    with reporter.recording(119):
        reporter.report(RECORD)
        reporter.say("a word")
        reporter.report({"step": 120, "suite/cifar10": 0.5})
    assert read_metrics(tmp_path / "metrics.jsonl") == [RECORD, {"step": 120, "suite/cifar10": 0.5}]
    # What is said begins a line of its own.
    assert [line.partition(",")[0] for line in shown.getvalue().strip().split("\n")] == ["step 120 of 120", "a word"]


def test_of_several_processes_the_others_write_and_say_nothing(tmp_path, monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    reporter = Reporter(tmp_path, 120, shows=False, writes=False)
    with reporter.recording(0):
        reporter.report(RECORD)
        reporter.say("a word")
    assert list(tmp_path.iterdir()) == []
    assert shown.getvalue() == ""


@pytest.mark.parametrize(("seconds", "said"), [(8.0, "8 s"), (130.0, "2 min 10 s"), (11_100.0, "3 h 05 min")])
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_the_meter_forgets_the_step_that_compiled():
    meter = Meter(pairs=100)
    meter.add(50.0, 1.0)
    assert meter.figures == {"seconds_per_step": 50.0, "pairs_per_second": 2.0, "waiting": 0.02}
    meter.add(2.0, 0.5)
    meter.add(2.0, 1.5)
    assert meter.figures == {"seconds_per_step": 2.0, "pairs_per_second": 50.0, "waiting": 0.5}


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_waits_for_a_step_and_else_for_nothing(number, raised):
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        stop.patient = True
        signal.raise_signal(number)
        assert stop.requested == signal.Signals(number).name
        stop.patient = False
        with pytest.raises(raised):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_does_not_wait():
    with stop_on_signals() as stop:
        stop.patient = True
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_log_is_json_for_every_reader(tmp_path):
    with MetricsLog(tmp_path / "m.jsonl", step=0) as log:
        log.append({"step": 1, "loss": float("inf"), "gradient_norm": -float("inf")})
    said = json.loads((tmp_path / "m.jsonl").read_text(), parse_constant=pytest.fail)
    assert said == {"step": 1, "loss": None, "gradient_norm": None}
