"""TLS and proxies as the environment names them, checked before anything is asked."""

import errno
import os
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from common.errors import ConfigurationError

_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def tls() -> ssl.SSLContext:
    """A context that always verifies, by certifi's authorities or those that SSL_CERT_FILE or SSL_CERT_DIR
    names. Raises `ConfigurationError` when what they name can't be used.
    """
    import httpx

    named = next((name for name in _CERTIFICATES if os.environ.get(name)), None)
    try:
        if named == "SSL_CERT_DIR" and not any(Path(os.environ[named]).iterdir()):
            raise FileNotFoundError(errno.ENOENT, "it is empty")  # OpenSSL would trust nobody, without a word
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
        if named is None:
            raise
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"{named}={os.environ[named]} can't be used for TLS ({why}): it must name a file (a folder) of"
            " certificates in PEM form, or be unset"
        ) from None


def proxy_for(root: str) -> str | None:
    """The proxy that the environment names (HTTPS_PROXY, or ALL_PROXY; NO_PROXY) for `root`, as an address;
    never one for this machine itself.

    Without a scheme it is an http proxy, as curl has it. Raises `ConfigurationError` for one that can't be
    used; its user name and password are not shown.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(root)
    host = parts.hostname or ""
    if host == "localhost" or host == "::1" or host.startswith("127.") or proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    given = proxies.get(kind)
    if not given:
        return None
    variable = f"{kind.upper()}_PROXY"
    address = given if "://" in given else f"http://{given}"
    try:
        proxy = urlsplit(address)
        name, _ = proxy.hostname, proxy.port
        (name or "").encode("idna")
    except ValueError:
        name = None
    shown = given.rpartition("@")[2]
    is_text = address.isprintable() and " " not in address
    if not name or not is_text or ":" in unquote(proxy.username or ""):  # which no proxy could tell apart
        raise ConfigurationError(f"{variable} names no proxy ({shown!r}): it must be like http://host:3128")
    if proxy.scheme.startswith("socks"):
        raise ConfigurationError(
            f"{variable} names a SOCKS proxy ({proxy.scheme}://{shown.rpartition('//')[2]}), which is not"
            " supported: name an http proxy, or put the host into NO_PROXY"
        )
    if proxy.scheme not in ("http", "https"):
        raise ConfigurationError(
            f"{variable} names a proxy of an unknown kind ({shown!r}): use http://host:port"
        )
    return address
