"""Cross-origin requests: which web pages may read our answers.

That a page may send a request says nothing about who it is: the request still has to be signed.
https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS
"""

from __future__ import annotations

from restframe.aws.http import HttpRequest, HttpResponse

_MAXIMAL_AGE_S = 3000
_READABLE = "ETag, Content-Range, Last-Modified, x-amz-request-id, x-amz-id-2, x-amz-version-id, x-amzn-requestid"


def allows(patterns: str, origin: str) -> bool:
    """patterns : origins with blanks between; `http://localhost:*` is every port of it, `*` every origin"""
    for pattern in patterns.split():
        if pattern in ("*", origin):
            return True
        if pattern.endswith(":*"):
            base = pattern.removesuffix(":*")
            if origin == base or (origin.startswith(f"{base}:") and origin.removeprefix(f"{base}:").isdigit()):
                return True
    return False


def is_preflight(http: HttpRequest) -> bool:
    return http.method == "OPTIONS" and "origin" in http.headers and "access-control-request-method" in http.headers


def preflight(http: HttpRequest, patterns: str) -> HttpResponse:
    """Browsers ask without credentials, so that this is answered to everybody."""
    origin = http.headers.get("origin")
    if not allows(patterns, origin):
        return HttpResponse(403, [("vary", "Origin")], b"CORSResponse: this origin is not allowed.\n")
    headers = [
        *response_headers(http, patterns),
        ("access-control-allow-methods", "GET, PUT, POST, DELETE, HEAD"),
        ("access-control-max-age", str(_MAXIMAL_AGE_S)),
    ]
    wanted = http.headers.get("access-control-request-headers")
    if wanted and len(wanted) <= 4096 and wanted.isprintable():
        headers.append(("access-control-allow-headers", wanted))
    return HttpResponse(200, headers)


def response_headers(http: HttpRequest, patterns: str) -> list[tuple[str, str]]:
    """What an answer says to the browser; nothing when no page of another origin asked, or one we do not know."""
    origin = http.headers.get("origin")
    if not origin or not allows(patterns, origin):
        return []
    return [
        ("access-control-allow-origin", origin),
        ("access-control-expose-headers", _READABLE),
        ("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"),
    ]
