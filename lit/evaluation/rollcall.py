"""Before JAX connects: are all processes of the run there, and do they agree on who is who?

JAX aborts its process (a C++ abort, no exception) when one of them does not come.  So they call the roll first, over
plain TCP at the coordinator's address: process 0 listens until everyone has said who it is, tells all of them the
outcome, and gives the port back for JAX to listen on.
"""

import contextlib
import json
import socket
import time

from lit.errors import ConfigError, ProcessError

#: Seconds between two tries to reach process 0, which may start later.
_RETRY = 0.2
#: What process 0 answers, before the trouble where there is some: nothing else that may listen there does.
_ANSWER = "lit roll call: "


def call_the_roll(coordinator: str, processes: int, process: int, *, timeout: float) -> None:
    """Returns once all processes are there; they all call this.

    Args:
      coordinator: "host:port" of process 0.
      processes: how many there are.
      process: which this one is, from 0.
      timeout: seconds to wait for the others.

    Raises:
      ConfigError: the address is none.
      ProcessError: some did not come in time, two say they are the same one, or they do not agree how many they are.
    """
    host, port = address_of(coordinator)
    until = time.monotonic() + timeout
    if process == 0:
        _listen(host, port, processes, until, timeout)
    else:
        _answer(host, port, processes, process, until, timeout)


def address_of(coordinator: str) -> tuple[str, int]:
    """Host and port of "host:port" or "[ipv6]:port".

    Raises:
      ConfigError: it is not of that form.
    """
    host, _, port = coordinator.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(
            f"the coordinator's address is {coordinator!r}; it must be HOST:PORT of process 0, such as 10.0.0.1:8476."
        )
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    return host in ("localhost", "::1") or host.startswith("127.")


def _listen(host: str, port: int, processes: int, until: float, timeout: float) -> None:
    missing = set(range(1, processes))
    with contextlib.ExitStack() as stack:
        server, came, trouble = stack.enter_context(_server(host, port)), [], ""
        while missing and not trouble:
            server.settimeout(max(0.001, until - time.monotonic()))
            try:
                connection = stack.enter_context(server.accept()[0])
            except TimeoutError:
                trouble = (
                    f"of {processes} processes, number {', '.join(map(str, sorted(missing)))} did not come within "
                    f"{timeout:g} s to {host}:{port}, where process 0 waits; see whether all run, and whether they can "
                    "reach that address."
                )
                break
            said = _hello(connection)
            if said is not None:
                came.append(connection)
                trouble = _objection(*said, processes=processes, missing=missing)
                missing.discard(said[0])
        for connection in came:
            _tell(connection, _ANSWER + trouble)
    if trouble:
        raise ProcessError(trouble)


def _hello(connection: socket.socket) -> tuple[int, int, str] | None:
    """Who it is, of how many, and where; None: a stranger, such as a port scanner."""
    connection.settimeout(5)
    try:
        said = json.loads(_line(connection))
        return int(said["process"]), int(said["processes"]), str(said["host"])
    except (OSError, ValueError, KeyError, TypeError):
        connection.close()
        return None


def _objection(process: int, of: int, where: str, *, processes: int, missing: set[int]) -> str:
    """What is wrong with the newcomer, if anything."""
    if of != processes:
        return (
            f"process {process} on {where} was told of {of} processes, process 0 of {processes}; give all one number."
        )
    if process not in missing:
        return f"two processes say that they are number {process}, the second on {where}; give each its own."
    return ""


def _server(host: str, port: int) -> socket.socket:
    try:
        if is_loopback(host):
            return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("", port))
    except OSError as error:
        raise ProcessError(
            f"process 0 cannot listen on port {port} ({error.strerror or error}); choose another port, the same for "
            "all processes."
        ) from error


def _answer(host: str, port: int, processes: int, process: int, until: float, timeout: float) -> None:
    hello = json.dumps({"process": process, "processes": processes, "host": socket.gethostname()}) + "\n"
    reason = "no answer"
    while (left := until - time.monotonic()) > 0:
        try:
            with socket.create_connection((host, port), timeout=left) as connection:
                connection.sendall(hello.encode())
                # Process 0 gives up at its own limit and says why, so wait a little longer than it does.
                connection.settimeout(timeout + 5)
                said = _line(connection)
        except OSError as error:
            reason = error.strerror or str(error)
            time.sleep(_RETRY)
            continue
        if said == _ANSWER.strip():
            return
        raise ProcessError(
            said.removeprefix(_ANSWER)
            if said.startswith(_ANSWER)
            else f"{host}:{port} hung up; process 0 has ended, or something else listens there."
        )
    raise ProcessError(
        f"process {process} could not reach process 0 at {host}:{port} within {timeout:g} s ({reason}); see whether "
        "it runs, and whether this machine may connect to that port."
    )


def _tell(connection: socket.socket, line: str) -> None:
    """Says it and waits until the other side has hung up, so that the port is free at once."""
    with contextlib.suppress(OSError):
        connection.settimeout(5)
        connection.sendall(line.encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)


def _line(connection: socket.socket) -> str:
    said = b""
    while not said.endswith(b"\n") and len(said) < 1 << 16:
        part = connection.recv(4096)
        if not part:
            break
        said += part
    return said.decode("utf-8", "replace").strip()
