"""The way out of the proxy: where it may lead, and how to get there."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from restframe.aws.proxy.request import Refusal, Target, read_status
from restframe.aws.proxy.tunnel import Side

_CONNECT_S = 15  # for one address
_ANSWER_S = 30  # for an upstream proxy to get there

# Where clouds tell a machine about itself, credentials included: Alibaba, Azure, and Amazon's over IPv6. Amazon's other
# one is a link-local address, as Google's is.
_METADATA = tuple(ipaddress.ip_network(text) for text in ("100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::/32"))
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
Dial = Callable[[str, int], Awaitable[Side]]


@dataclass(frozen=True, slots=True)
class Upstream:
    """Another proxy, which leads out of here.

    authorization : what it wants to be told, if anything
    bypass : as NO_PROXY: hosts that are reached without it
    """

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)
    bypass: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Upstream | None:
        """HTTPS_PROXY and NO_PROXY as others read them; in lower case they win. None when there is no such proxy.

        ValueError when it is one of a kind we cannot speak to.
        """
        url = environment.get("https_proxy") or environment.get("HTTPS_PROXY") or ""
        if not url:
            return None
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("HTTPS_PROXY is no http:// address")
        authorization = None
        if parts.username is not None:
            user = urllib.parse.unquote(parts.username) + ":" + urllib.parse.unquote(parts.password or "")
            authorization = "Basic " + base64.b64encode(user.encode()).decode()
        bypass = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        return cls(parts.hostname, parts.port or 80, authorization, bypass)

    def leads_to(self, target: Target) -> bool:
        return not urllib.request.proxy_bypass_environment(str(target), {"no": self.bypass})  # type: ignore[attr-defined]


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, best first."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def dial_any(host: str, port: int) -> Side:
    """A connection to an address or name."""
    _, side = await asyncio.get_running_loop().create_connection(Side, host, port)
    return side


async def dial_others(host: str, port: int) -> Side:
    """A connection to another machine; Refusal when the address turns out to be one of this machine's."""
    side = await dial_any(host, port)
    own, theirs = (side.transport.get_extra_info(name) for name in ("sockname", "peername"))
    if own[0] == theirs[0]:
        side.transport.abort()
        raise Refusal(HTTPStatus.FORBIDDEN, "this proxy does not lead back to its own machine")
    return side


@dataclass(frozen=True, slots=True)
class Outward:
    """Goes to wherever a client may go.

    upstream : through which all of it goes, but for its exceptions
    """

    upstream: Upstream | None = None
    resolve: Resolve = resolve
    dial: Dial = dial_others
    dial_upstream: Dial = dial_any

    async def connect(self, target: Target) -> Side:
        """A connection to the target. Refusal when it may not be, or cannot be reached."""
        _refuse_literal(target)
        if self.upstream is not None and self.upstream.leads_to(target):
            return await self._through(self.upstream, target)
        try:
            addresses = await asyncio.wait_for(self.resolve(target.host, target.port), _CONNECT_S)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise Refusal(HTTPStatus.BAD_GATEWAY, f"{target.shown} has no address") from error
        # One of them is enough to refuse: which one is dialled must not be a matter of luck.
        for address in addresses:
            _refuse(ipaddress.ip_address(address.partition("%")[0]), target)
        return await self._to_first(addresses, target)

    async def _to_first(self, addresses: list[str], target: Target) -> Side:
        reason = "it has no address"
        for address in addresses:
            try:
                return await asyncio.wait_for(self.dial(address, target.port), _CONNECT_S)
            except (OSError, TimeoutError) as error:
                reason = _reason(error)
        raise Refusal(HTTPStatus.BAD_GATEWAY, f"{target.shown} cannot be reached: {reason}")

    async def _through(self, upstream: Upstream, target: Target) -> Side:
        try:
            side = await asyncio.wait_for(self.dial_upstream(upstream.host, upstream.port), _CONNECT_S)
        except (OSError, TimeoutError) as error:
            raise Refusal(HTTPStatus.BAD_GATEWAY, f"the upstream proxy cannot be reached: {_reason(error)}") from error
        try:
            await _ask(side, upstream, target)
        except BaseException:
            side.transport.abort()
            raise
        return side


async def _ask(side: Side, upstream: Upstream, target: Target) -> None:
    authorization = f"Proxy-Authorization: {upstream.authorization}\r\n" if upstream.authorization else ""
    side.transport.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n".encode())
    try:
        head = await asyncio.wait_for(side.head(), _ANSWER_S)
    except (ValueError, TimeoutError):
        head = None
    status = read_status(head or b"")
    if status is None:
        raise Refusal(HTTPStatus.BAD_GATEWAY, "the upstream proxy does not answer as one")
    if not 200 <= status < 300:
        raise Refusal(HTTPStatus.BAD_GATEWAY, f"the upstream proxy answers {status} for {target.shown}")


def _refuse_literal(target: Target) -> None:
    """Refusal for what can be seen without asking anybody."""
    if target.host == "localhost" or target.host.endswith(".localhost"):
        raise _not_here(target)
    address: Address
    try:
        address = ipaddress.ip_address(target.host)
    except ValueError:
        try:
            # 127.1, 0x7f000001 and 017700000001 are addresses to most programs
            address = ipaddress.IPv4Address(socket.inet_aton(target.host))
        except OSError:
            return
    _refuse(address, target)


def _refuse(address: Address, target: Target) -> None:
    for one in (address, _inner(address)):
        if one is not None and (
            one.is_loopback
            or one.is_link_local
            or one.is_unspecified
            or one.is_multicast
            or any(one in network for network in (*_METADATA, _THIS_NETWORK))
        ):
            raise _not_here(target)


def _not_here(target: Target) -> Refusal:
    return Refusal(HTTPStatus.FORBIDDEN, f"this proxy does not lead to {target.shown}")


def _inner(address: Address) -> Address | None:
    """The IPv4 address that some IPv6 addresses mean."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64 or int(address) < 2**32:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not error.args:
        return "it does not answer"
    return "it refuses the connection" if isinstance(error, ConnectionRefusedError) else "there is no way to it"
