"""The HTTP proxy for clients that ignore AWS_ENDPOINT_URL.

What goes to `*.amazonaws.com` is answered by ourselves, with a certificate of our own authority; everything else is
tunnelled untouched, so that a shell in which HTTPS_PROXY points here can still install packages. request.py reads what
a client asks for, outward.py decides where that may lead and goes there, tunnel.py carries the bytes.
"""

from restframe.aws.proxy.outward import Outward, Upstream
from restframe.aws.proxy.server import Proxy

__all__ = ["Outward", "Proxy", "Upstream"]
