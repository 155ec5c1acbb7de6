"""One request over http(s): redirects, proxies, authorisation, and what an error means.

On urllib3: the smallest library with streaming, TLS, timeouts and a check of the length.
"""

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from lit import __version__
from lit.files.addresses import Address, is_loopback, shown
from lit.files.settings import Network
from lit.files.verify import FailedError

_MOST_REDIRECTS = 5


class InterruptedTransferError(Exception):
    """An attempt that failed and may succeed when repeated.  Never leaves `lit.files`.

    Attributes:
      wait: seconds, where the server says when.
      unreachable: there was no connection at all.
    """

    def __init__(self, reason: str, *, wait: float | None = None, unreachable: bool = False) -> None:
        self.wait, self.unreachable = wait, unreachable
        super().__init__(reason)


@contextlib.contextmanager
def answer(address: Address, asked: dict[str, str], network: Network) -> Iterator[urllib3.BaseHTTPResponse]:
    """The answer after redirects; the authorisation is for the address's own host alone."""
    url, authorization = address.url, address.authorization
    headers = {"User-Agent": f"lit-jax/{__version__}", "Accept-Encoding": "identity", **asked}
    timeout = urllib3.Timeout(connect=network.connect_timeout, read=network.read_timeout)
    for _ in range(_MOST_REDIRECTS + 1):
        with _pool(url) as pool:
            sent = {**headers, "Authorization": authorization} if authorization else headers
            response = pool.request(
                "GET", url, headers=sent, timeout=timeout, retries=False, redirect=False, preload_content=False
            )
            try:
                target = response.get_redirect_location()
                if not target:
                    yield response
                    return
            finally:
                response.close()
        before, url = url, urljoin(url, target)
        authorization = authorization if _origin(url) == _origin(before) else ""
        if urlsplit(url).scheme != "https" and (urlsplit(before).scheme == "https" or not url.startswith("http:")):
            raise FailedError(f"it redirects from {urlsplit(before).scheme} to {shown(url)}, which is not safe")
    raise FailedError(f"it redirects more than {_MOST_REDIRECTS} times")


def _pool(url: str) -> urllib3.PoolManager:
    """Through the proxy that the environment names, if it names one for this URL."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if not proxy or is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return urllib3.PoolManager()
    return urllib3.ProxyManager(proxy if "://" in proxy else f"http://{proxy}")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


@contextlib.contextmanager
def errors_told() -> Iterator[None]:
    """Sorts urllib3's errors into those that may pass and those that will not."""
    try:
        yield
    except (NewConnectionError, ConnectTimeoutError, ProxyError) as error:
        raise InterruptedTransferError(f"it cannot be reached ({_short(error)})", unreachable=True) from error
    except ReadTimeoutError as error:
        raise InterruptedTransferError("it stopped answering") from error
    except SSLError as error:
        raise FailedError(f"its certificate or TLS was refused ({_short(error)})") from error
    except ProtocolError as error:
        raise InterruptedTransferError(f"the connection broke ({_short(error)})") from error
    except HTTPError as error:
        raise FailedError(_short(error)) from error


def _short(error: Exception) -> str:
    """The end of an error, which is where urllib3 says what happened, without its own object names."""
    text = str(error.args[-1] if error.args else error)
    return re.sub(r"^\S*(Connection|Pool)\S*\(.*?\): ", "", text).strip() or type(error).__name__
