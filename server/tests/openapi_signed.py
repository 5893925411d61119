"""Signs what Schemathesis asks of the open API, as docs/open-api.md says; for openapi.sh.

The request may be as odd as Schemathesis makes it: its signature is right.
"""

import hashlib
import hmac
import os
import secrets
import time

import requests
import schemathesis


class Signed(requests.auth.AuthBase):
    """The signature of OPEN_KEY by OPEN_SECRET, over the request as it is sent."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else bytes(body)
        path, _, query = request.path_url.partition("?")
        said = {
            "Callfloor-Organisation": "main",
            "Callfloor-Key": os.environ["OPEN_KEY"],
            "Callfloor-Timestamp": str(int(time.time())),
            "Callfloor-Nonce": secrets.token_hex(16),
            "Callfloor-Content-SHA256": hashlib.sha256(body).hexdigest(),
        }
        query = "&".join(sorted(filter(None, query.split("&")), key=str.encode))
        lines = [
            "CALLFLOOR-HMAC-SHA256",
            said["Callfloor-Organisation"],
            said["Callfloor-Key"],
            request.method,
            path,
            query,
            said["Callfloor-Content-SHA256"],
            said["Callfloor-Timestamp"],
            said["Callfloor-Nonce"],
        ]
        code = hmac.new(os.environ["OPEN_SECRET"].encode(), "\n".join(lines).encode(), hashlib.sha256)
        request.headers.update(said, **{"Callfloor-Signature": code.hexdigest()})
        return request


schemathesis.auth.set_from_requests(Signed())
