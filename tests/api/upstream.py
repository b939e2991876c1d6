# SPDX-License-Identifier: Apache-2.0
"""An Alertmanager with just enough of its interface for the proxy to have something to pass on."""
import http.server
import json
import threading
import uuid

ROOT = "/alertmanager/api/v2"
silences = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, value=None):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0].removeprefix(ROOT)
        if path == "/alerts":
            return self.say(200, [])
        if path == "/silences":
            return self.say(200, list(silences.values()))
        found = silences.get(path.removeprefix("/silence/"))
        return self.say(200, found) if found else self.say(404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/alerts"):
            return self.say(200)
        id_ = body.get("id") or str(uuid.uuid4())
        silences[id_] = body | {"id": id_, "status": {"state": "active"}, "updatedAt": body["startsAt"]}
        return self.say(200, {"silenceID": id_})

    def do_DELETE(self):
        # It stays, expired, as in a real one.
        self.say(200 if self.path.removeprefix(ROOT + "/silence/") in silences else 404)


def start_upstream(port):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
