"""Requests of operations as botocore writes them, and bent in all ways."""

from __future__ import annotations

import base64
import contextlib
import gzip
import random
import urllib.parse
import zlib
from typing import Any

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.serialize import create_serializer

from fuzz_inputs import Inputs, json_text
from fuzz_server import Raw, Server
from fuzz_words import TEXTS
from restframe.aws import wire


class Requests:
    """Makes one after the other, from inputs that are made for it."""

    def __init__(self, server: Server, rng: random.Random, inputs: Inputs) -> None:
        self.server = server
        self.rng = rng
        self.inputs = inputs

    def make(self, service: str, name: str) -> Raw | None:
        """A signed request for an operation, or one that may be for anything; None when botocore cannot write it."""
        description = wire.service(service)
        operation = description.model.operation_model(name)
        params = self.inputs.input(operation.input_shape, service)
        try:
            serializer = create_serializer(description.protocol, include_validation=False)
            made = serializer.serialize_to_request(params, operation)
            body = made["body"]
            body = urllib.parse.urlencode(body).encode() if isinstance(body, dict) else body
            body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
        except Exception:  # noqa: BLE001 - whatever botocore says of values of other types
            if description.protocol != "json":
                return None
            target = f"{operation.metadata.get('targetPrefix')}.{name}"
            version = operation.metadata.get("jsonVersion", "1.1")
            headers = {"X-Amz-Target": target, "Content-Type": f"application/x-amz-json-{version}"}
            made = {"method": "POST", "url_path": "/", "query_string": "", "headers": headers}
            body = json_text(params).encode("utf-8", "surrogatepass")
        query = made["query_string"]
        query = urllib.parse.urlencode(query, errors="surrogatepass") if isinstance(query, dict) else query
        joint = "&" if "?" in made["url_path"] else "?"
        target = made["url_path"] + (joint + query if query else "")
        headers = {str(k): _header(v) for k, v in made["headers"].items()}
        # without a parameter that is missing a REST request is another operation's
        bent = description.protocol.startswith("rest") and self.inputs.wildness > 0
        raw = Raw(service, name, made["method"], target, headers, body, bent)
        draw = self.rng.random()
        if draw < 0.12:
            self._bend(raw)
        elif draw > 0.9 and service == "s3":
            self.rng.choice((self._host, self._chunk, self._presign))(raw)
        if self.rng.random() < 0.05:
            raw.pieces = self.rng.choice((1, 2, 7))
        if not raw.signed:
            self._sign(raw)
        if 0.12 < draw < 0.16:
            self._bend(raw)
        return raw

    def plain(self, service: str, name: str, params: dict[str, Any]) -> Raw:
        """A good request of a JSON service."""
        operation = wire.service(service).model.operation_model(name)
        headers = {
            "X-Amz-Target": f"{operation.metadata['targetPrefix']}.{name}",
            "Content-Type": f"application/x-amz-json-{operation.metadata['jsonVersion']}",
        }
        raw = Raw(service, name, "POST", "/", headers, json_text(params).encode())
        self._sign(raw)
        return raw

    def _bend(self, raw: Raw) -> None:
        rng = self.rng
        raw.bent = True
        for _ in range(rng.choice((1, 1, 2, 3))):
            rng.choice((self._bend_body, self._bend_headers, self._bend_target, self._bend_method))(raw)

    def _bend_method(self, raw: Raw) -> None:
        raw.method = self.rng.choice(("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"))

    def _bend_body(self, raw: Raw) -> None:
        rng, body = self.rng, raw.body
        at = rng.randrange(len(body) + 1)
        raw.body = rng.choice(
            (
                *(b"", body[:at], body + b"\0", body[:at] + rng.randbytes(3) + body[at:], body[at:] + body[:at]),
                *(gzip.compress(body), self.inputs.text().encode("utf-8", "surrogatepass"), b"\xff\xfe" + body),
                *(
                    b"{" * 20_000,
                    b'{"a":' * 2000 + b"1" + b"}" * 2000,
                    b"<a>" * 3000,
                    b"&".join([b"a.member.1=x"] * 500),
                ),
                b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><Delete><Object><Key>&c;</Key></Object></Delete>',
                b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Tagging>&b;</Tagging>',
            )
        )

    def _bend_headers(self, raw: Raw) -> None:
        rng = self.rng
        names = [
            *raw.headers,
            "Content-Type",
            "X-Amz-Target",
            "Range",
            "If-Match",
            "If-None-Match",
            "If-Modified-Since",
        ]
        names += ["x-amz-copy-source", "x-amz-meta-a", "Content-Encoding", "x-amz-decoded-content-length", "Expect"]
        names += [
            "x-amz-content-sha256",
            "x-amz-checksum-crc32",
            "x-amz-sdk-checksum-algorithm",
            "Origin",
            "Content-MD5",
        ]
        names += [
            "x-amz-trailer",
            "x-amz-security-token",
            "Accept-Encoding",
            "x-amz-tagging",
            "x-amz-date",
            "Cache-Control",
        ]
        name = rng.choice(names)
        if rng.random() < 0.25:
            raw.headers.pop(name, None)
        else:
            values = (*TEXTS, "bytes=0-", "bytes=-0", "aws-chunked", "gzip", "*", "Thu, 01 Jan 1970 00:00:00 GMT")
            values += ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "UNSIGNED-PAYLOAD", "application/xml", "RedshiftData.X")
            raw.headers[name] = _header(rng.choice(values))[:9000]

    def _bend_target(self, raw: Raw) -> None:
        rng = self.rng
        path, _, query = raw.target.partition("?")
        extra = urllib.parse.quote(self.inputs.text(), safe="", errors="replace")[:9000]
        words = ("list-type=2", "uploads", "uploadId=x", "partNumber=0", "partNumber=99999999999", "max-keys=-1", "acl")
        words += (
            "versions",
            "delete",
            "tagging",
            "policy",
            "response-content-type=a%0d%0ab",
            "encoding-type=url",
            "x-id=A",
        )
        words += (
            f"prefix={extra}",
            f"marker={extra}",
            f"continuation-token={extra}",
            f"Action={extra}",
            "max-keys=1",
            "torrent",
        )
        path = rng.choice(
            (path, path, path, path + "/", path + "/../..", "//" + path, path.replace("/", "/%2e%2e/"), path + extra)
        )
        query = rng.choice(
            (query, "&".join(filter(None, (query, rng.choice(words)))), rng.choice(words), extra, query + "&&=&")
        )
        raw.target = path + ("?" + query if query else "")

    def _sign(self, raw: Raw) -> None:
        request = AWSRequest(
            method=raw.method, url=self.server.url + raw.target, data=raw.body, headers=dict(raw.headers)
        )
        request.context["payload_signing_enabled"] = True
        signing_name = wire.service(raw.service).signing_name
        with contextlib.suppress(Exception):  # what cannot be signed goes as it is
            kind = S3SigV4Auth if raw.service == "s3" else SigV4Auth
            kind(self.server.keys, signing_name, "us-east-1").add_auth(request)
            raw.headers = dict(request.headers.items())

    # ways to send the same

    def _host(self, raw: Raw) -> None:
        """With the bucket in the name of the host, or in something that is no host."""
        bucket, _, rest = raw.target[1:].replace("?", "/?", 1).partition("/")
        hosts = [f"{bucket}.localhost", f"{bucket}.s3.amazonaws.com", f"{bucket}.127.0.0.1", "localhost", "[::1]"]
        hosts += [".localhost", "..localhost", "a" * 300 + ".localhost", "\xfc.localhost"]
        raw.headers["Host"] = self.rng.choice(hosts)
        raw.target, raw.bent = self.rng.choice((f"/{rest}", raw.target)), True

    def _chunk(self, raw: Raw) -> None:
        """As SDKs upload: in chunks, with a checksum behind them that is right, or is not."""
        rng, data = self.rng, raw.body
        checksum = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
        checksum = rng.choice((checksum, checksum, "AAAAAA==", "", "x" * 300))
        size = rng.choice((len(data) + 1, 1000, 7 if len(data) < 2000 else 5000))
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        coded += b"0\r\nx-amz-checksum-crc32:" + checksum.encode() + b"\r\n\r\n"
        if rng.random() < 0.3:
            at = rng.randrange(len(coded))
            coded = rng.choice((coded[:at], coded[:at] + b"\0" + coded[at:], coded + coded, b"f" * 40 + coded))
        raw.headers |= {
            "Content-Encoding": "aws-chunked",
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-trailer": "x-amz-checksum-crc32",
            "x-amz-decoded-content-length": str(rng.choice((len(data), len(data), len(data), 0, 10**15))),
        }
        raw.body, raw.bent = coded, True

    def _presign(self, raw: Raw) -> None:
        request = AWSRequest(method=raw.method, url=self.server.url + raw.target, headers=dict(raw.headers))
        with contextlib.suppress(Exception):  # what cannot be signed goes as it is
            expires = self.rng.choice((60, 1, 604800))
            S3SigV4QueryAuth(self.server.keys, "s3", "us-east-1", expires=expires).add_auth(request)
            raw.target = request.url.removeprefix(self.server.url)
            raw.signed = True
        raw.bent = True


def _header(value: Any) -> str:
    """As botocore sends it: UTF-8 where latin-1 does not do."""
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")
