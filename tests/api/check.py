# SPDX-License-Identifier: Apache-2.0
"""Holds a running server to its OpenAPI document: every path, every status that can be had, every schema, and then
requests that nobody thought of. Usage: check.py PORT KEY SECRET OTHER_KEY OTHER_SECRET OPERATOR_TOKEN WEBHOOK_SECRET
UPSTREAM_PORT. COLLECT_API_SECONDS: how long the last part takes (5). COLLECT_TEST_SEED repeats it."""
import base64
import csv
import gzip
import io
import json
import os
import random
import sys
import time
import urllib.parse
import uuid

from document import METHODS, OF_THE_DOOR, Document, Server, Wrong, filled
from upstream import start_upstream

PORT = int(sys.argv[1])
KEY, SECRET, OTHER_KEY, OTHER_SECRET, TOKEN, WEBHOOK = sys.argv[2:8]
start_upstream(int(sys.argv[8]))


def basic(key, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()}


SYSTEM = basic(KEY, SECRET)
OTHER = basic(OTHER_KEY, OTHER_SECRET)
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
server = Server(PORT)
document = Document(server.ask("GET", "/api/openapi.yaml").body)
PROXY = "/api/services/mimir/alertmanager/api/v2"


def expect(status, method, path, headers=None, body=None, values=None, query=""):
    answer = server.ask(method.upper(), filled(path, values or {}) + query, headers, body)
    document.check(path, method, answer, query)
    if answer.status != status:
        raise Wrong(f"{method} {path} {query}: expected {status}, got {answer.status}: {answer.body[:300]!r}")
    return answer


def authorization_of(operation):
    schemes = [name for each in operation["security"] for name in each]
    return {"system": SYSTEM, "operator": OPERATOR, "webhook": {"Authorization": f"Bearer {WEBHOOK}"}}[
        schemes[0]] if schemes else {}


def report(system, data):
    answer = expect(202, "post", "/api/systems/inventory", system, json.dumps(data))
    return answer.json()["data"]["receipt"]


def wait_processed(receipt):
    for _ in range(600):
        data = expect(200, "get", "/api/systems/inventory/receipts/{receipt}", SYSTEM, values={"receipt": receipt}).json()["data"]
        if data["processed"]:
            return data
        time.sleep(0.05)
    raise Wrong(f"inventory {receipt} was not processed")


# ---------------------------------------------------------------- appliances

def appliances():
    for round_ in range(12):
        facts = {f"n{i}": round_ for i in range(round_)} | {"name": "=cmd|' /C calc'!A0, \"box\"" if round_ % 2 else "box"}
        last = report(SYSTEM, {"system_id": "x", "timestamp": "2026-01-01T00:00:00Z",
                               "data": {"os": {"name": f"OS {round_}", "facts": facts}, "text": "é\n\"quoted\""}})
    wait_processed(last)
    wait_processed(report(SYSTEM, {"os": {"name": "gone back", "facts": {}}}))
    inventory = "/api/systems/inventory"
    expect(400, "post", inventory, SYSTEM, "[]")
    expect(401, "post", inventory, basic(KEY, "wrong"), "{}")
    expect(415, "post", inventory, SYSTEM | {"Content-Encoding": "br"}, "{}")
    expect(413, "post", inventory, SYSTEM | {"Content-Encoding": "gzip"}, gzip.compress(b'{"a":"' + b"x" * 11_000_000 + b'"}'))
    receipts = "/api/systems/inventory/receipts/{receipt}"
    expect(400, "get", receipts, SYSTEM, values={"receipt": "none"})
    expect(404, "get", receipts, OTHER, values={"receipt": last})
    expect(401, "get", receipts, values={"receipt": last})
    expect(200, "post", "/api/systems/heartbeat", SYSTEM)
    expect(401, "post", "/api/systems/heartbeat")
    expect(413, "post", "/api/systems/heartbeat", SYSTEM, "x" * 100_000)
    expect(200, "get", "/api/systems/info", SYSTEM)
    expect(401, "get", "/api/systems/info")


def backups():
    backups_, one = "/api/systems/backups", "/api/systems/backups/{id}"
    stored = expect(201, "post", backups_, SYSTEM | {"X-Filename": "dump.tar.gz"}, b"backup").json()["data"]
    expect(400, "post", backups_, SYSTEM | {"Content-Length": "0"})
    expect(411, "post", backups_, SYSTEM | {"Transfer-Encoding": "chunked"}, iter([b"x"]))
    expect(413, "post", backups_, SYSTEM | {"Content-Length": "99999999999999"})
    server.connection.close()
    expect(401, "post", backups_, None, b"x")
    expect(200, "get", backups_, SYSTEM)
    expect(401, "get", backups_)
    id_ = {"id": stored["id"]}
    assert expect(200, "get", one, SYSTEM, values=id_).body == b"backup"
    assert expect(206, "get", one, SYSTEM | {"Range": "bytes=1-2"}, values=id_).body == b"ac"
    expect(416, "get", one, SYSTEM | {"Range": "bytes=100-"}, values=id_)
    expect(404, "get", one, OTHER, values=id_)
    expect(404, "delete", one, OTHER, values=id_)
    expect(400, "get", one, SYSTEM, values={"id": "x"})
    expect(400, "delete", one, SYSTEM, values={"id": "x"})
    expect(401, "get", one, values=id_)
    expect(401, "delete", one, values=id_)
    expect(200, "delete", one, SYSTEM, values=id_)


def alertmanager():
    alert = [{"labels": {"alertname": "A"}, "annotations": {"summary": "{{.alertname}}"}}]
    silence = {"matchers": [{"name": "alertname", "value": "A", "isRegex": False, "isEqual": True}],
               "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-02T00:00:00Z", "createdBy": "me", "comment": "c"}
    for root in ("/api", ""):
        api = root + PROXY.removeprefix("/api")
        expect(200, "post", api + "/alerts", SYSTEM, json.dumps(alert))
        expect(200, "get", api + "/alerts", SYSTEM, query="?active=true&filter=severity%3Dcritical")
        id_ = expect(200, "post", api + "/silences", SYSTEM, json.dumps(silence)).json()["silenceID"]
        expect(200, "get", api + "/silences", SYSTEM)
        for path in (api + "/silence/{id}", api + "/silences/{id}"):
            expect(200, "get", path, SYSTEM, values={"id": id_})
            expect(403, "get", path, OTHER, values={"id": id_})
            expect(403, "delete", path, OTHER, values={"id": id_})
            expect(200, "delete", path, SYSTEM, values={"id": id_})
            for method in ("get", "delete"):
                expect(404, method, path, SYSTEM, values={"id": str(uuid.uuid4())})
                expect(400, method, path, SYSTEM, values={"id": "x"})
                expect(401, method, path, values={"id": id_})
        for path in ("/alerts", "/silences"):
            expect(400, "post", api + path, SYSTEM, "{")
            expect(413, "post", api + path, SYSTEM, "x" * 1_200_000)
            expect(415, "post", api + path, SYSTEM | {"Content-Encoding": "br"}, "[]")
            expect(400, "get", api + path, SYSTEM, query="?filter=%7B")
            expect(401, "post", api + path, None, "[]")
            expect(401, "get", api + path)
    history, webhook = "/api/alert_history", {"Authorization": f"Bearer {WEBHOOK}"}
    over = {"status": "resolved", "labels": {"alertname": "A", "system_key": KEY}, "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "2026-01-01T01:00:00Z", "fingerprint": "f"}
    expect(204, "post", history, webhook, json.dumps({"receiver": "r", "alerts": [over]}))
    expect(400, "post", history, webhook, "{}")
    expect(401, "post", history, None, "{}")
    expect(413, "post", history, webhook, "x" * 1_200_000)
    expect(415, "post", history, webhook | {"Content-Encoding": "br"}, "{}")


# ---------------------------------------------------------------- operator

def operator():
    system = expect(200, "get", "/api/systems/{id}", OPERATOR, values={"id": KEY}).json()["data"]
    records = expect(200, "get", "/api/systems/{id}/inventory", OPERATOR, values={"id": KEY}).json()["data"]["records"]
    values = {"id": system["id"], "record_id": records[0]["id"]}
    latest = expect(200, "get", "/api/systems/{id}/inventory/latest", OPERATOR, values=values).json()["data"]
    assert latest["id"] == records[0]["id"] and latest["data"] == {"os": {"name": "gone back", "facts": {}}}, latest
    expect(404, "get", "/api/systems/{id}/inventory/latest", OPERATOR, values={"id": OTHER_KEY})
    expect(404, "get", "/api/systems/{id}/inventory/{record_id}", OPERATOR, values=values | {"id": OTHER_KEY})
    expect(400, "get", "/api/systems/{id}/inventory/{record_id}", OPERATOR, values=values | {"record_id": "first"})
    expect(404, "get", "/api/alerts/inventory", OPERATOR, query="?system=nobody")
    for path, method, operation in document.operations():
        if "operator" not in operation["tags"]:
            continue
        answer = expect(200, method, path, OPERATOR, values=values)
        etag = answer.headers["ETag"]
        if path != "/api/queues":  # says when it was read
            again = expect(304, method, path, OPERATOR | {"If-None-Match": etag}, values=values)
            assert again.headers["ETag"] == etag
        else:
            expect(304, method, path, OPERATOR | {"If-None-Match": "*"}, values=values)
        assert expect(200, method, path, OPERATOR | {"If-None-Match": '"x"'}, values=values).headers["ETag"]
        head = server.ask("HEAD", filled(path, values), OPERATOR)
        assert head.status == 200 and not head.body and head.headers["ETag"], (path, head.status)
        expect(400, method, path, OPERATOR, values=values, query="?nonsense=1")
        expect(401, method, path, values=values)
        expect(401, method, path, {"Authorization": f"Bearer {TOKEN[:-1]}x"}, values=values)
        expect(401, method, path, SYSTEM, values=values)
        if "{id}" in path:
            expect(404, method, path, OPERATOR, values=values | {"id": "NETH-0000"})
        if any(p["name"] == "format" for p in document.parameters(path, method, "query")):
            lists(path, values)


def lists(path, values):
    """Pages by number, pages by cursor and both exports tell the same."""
    def page(query):
        data = expect(200, "get", path, OPERATOR, values=values, query=query).json()["data"]
        (items,) = [value for name, value in data.items() if isinstance(value, list)]
        return items, data["pagination"]

    whole, pagination = page("?page_size=100")
    assert pagination["total_count"] >= len(whole) and pagination["total_count_exact"], pagination
    size = max(1, len(whole) // 3)
    by_number, by_cursor, cursor = [], [], ""
    for number in range(1, 200):
        items, pagination = page(f"?page={number}&page_size={size}")
        by_number += items
        if not pagination["has_next"]:
            break
    while True:
        items, pagination = page(f"?page_size={size}{cursor}")
        by_cursor += items
        cursor = f"&cursor={urllib.parse.quote(pagination['next_cursor'] or '')}"
        if not pagination["has_next"]:
            break
    lines = expect(200, "get", path, OPERATOR, values=values, query="?format=ndjson").body.decode().splitlines()
    exported = [json.loads(line) for line in lines]
    assert by_number[:len(whole)] == by_cursor[:len(whole)] == exported[:len(whole)] == whole, path
    assert len(by_number) == len(by_cursor) == len(exported), path
    text = expect(200, "get", path, OPERATOR | {"Accept": "text/csv"}, values=values).body.decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(exported), path
    for row, item in zip(rows, exported):
        assert set(row) == set(item), (path, row, item)
        for name, value in item.items():
            same = row[name].removeprefix("'") == value if isinstance(value, str) else \
                row[name] == "" if value is None else json.loads(row[name]) == value
            assert same, (path, name, row[name], value)
    expect(400, "get", path, OPERATOR, values=values, query="?format=csv&page=1")
    expect(400, "get", path, OPERATOR, values=values, query="?format=xml")


# ---------------------------------------------------------------- the rest

def service():
    for path in ("/api/health", "/api/health/live", "/api/health/ready", "/metrics"):
        expect(200, "get", path)
    etag = expect(200, "get", "/api/openapi.yaml").headers["ETag"]
    expect(304, "get", "/api/openapi.yaml", {"If-None-Match": etag})


def methods():
    """Exactly the documented methods are there."""
    for path, item in document.paths.items():
        values = {"id": KEY, "record_id": 1, "receipt": str(uuid.uuid4())}
        documented = {m.upper() for m in METHODS if m in item}
        allowed = documented | ({"HEAD"} if "GET" in documented else set())
        for method in set(map(str.upper, METHODS)) - documented:
            answer = server.ask(method, filled(path, values), OPERATOR)
            if answer.status != 405:
                raise Wrong(f"{method} {path}: expected 405, got {answer.status}")
            told = {each.strip() for each in answer.headers["Allow"].split(",")}
            if told != allowed:
                raise Wrong(f"{method} {path}: Allow says {told}, the document {allowed}")


# What other tests make happen (journey/, net/, alertmanager/, backups/): servers that are away, limits.
ELSEWHERE = {429, 502, 503}


def all_was_seen():
    missing = []
    for path, method, operation in document.operations():
        for status in operation["responses"]:
            if status == "default" or int(status) in ELSEWHERE:
                continue
            if (path, method, int(status)) not in document.seen:
                missing.append(f"{method.upper()} {path} {status}")
    # The proxy's calls share one list of statuses; not every call can have each.
    impossible = [m for m in missing if "/services/mimir/" in m]
    missing = [m for m in missing if m not in impossible]
    if missing:
        raise Wrong("documented, but never seen:\n" + "\n".join(missing))
    print(f"{len(document.seen)} kinds of answers seen, of {sum(1 for _ in document.operations())} operations")


# ---------------------------------------------------------------- requests that nobody thought of

HOSTILE = ["", " ", "0", "-1", "1.5", "1e3", "99999999999999999999", "null", "true", "nan", "%", "%zz", "%00", "%0d%0aX:1", "%ff",
           "%c3%28", "é", "'", "\"", "' OR 1=1 --", "\\", "*", "..", "../..", "{id}", "[1]", "a" * 300, "2026-13-01",
           "2026-02-30T00:00:00Z", "2026-01-01T00:00:00+99:00", "9999-12-31", "0001-01-01", "0000-00-00", ";", ",", "🦊"]


def some_value(dice, schema):
    """A value that the schema allows, as text."""
    schema = document.resolve(schema)
    if "enum" in schema:
        return dice.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "integer":
        return str(dice.randint(schema.get("minimum", 0), min(schema.get("maximum", 2**63 - 1), 2**63 - 1)))
    if kind == "boolean":
        return dice.choice(["true", "false"])
    if "pattern" in schema:
        date = f"20{dice.randint(0, 99):02}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
        return dice.choice([date, f"{date}T01:02:03Z", f"{date}T23:59:59.999999+14:00", f"{date}t00:00:00-01:30"])
    letters = "abcXYZ019 ._-%'\"\\é漢🦊&=+#?/"
    length = dice.randint(1, min(20, schema.get("maxLength", 20)))
    return "".join(dice.choice(letters) for _ in range(length))[:length]


def a_request(dice, path, method, known):
    """(target, whether the document allows its query)."""
    values = {name: dice.choice(choices) for name, choices in known.items()}
    in_path = filled(path, values)
    query, allowed = [], True
    for parameter in document.parameters(path, method, "query"):
        kind = dice.random()
        if kind < 0.6:
            continue
        if kind < 0.85:
            text = some_value(dice, parameter["schema"])
            query.append((parameter["name"], urllib.parse.quote(str(text))))
        else:
            query.append((parameter["name"], dice.choice(HOSTILE).replace(" ", "+").encode("ascii", "replace").decode()))
            allowed = False
    if dice.random() < 0.1:
        query.append((dice.choice(["x", "page[]", "PAGE", "limit", "%70age%00"]), "1"))
        allowed = False
    names = [name for name, _ in query]
    # Which page is too far, and which cursor is one, the schema cannot say.
    if "cursor" in names or "page" in names or ("format" in names and "page_size" in names):
        allowed = None if allowed else allowed
    dice.shuffle(query)
    return in_path + ("?" if query else "") + "&".join(f"{n}={v}" for n, v in query), allowed


def unthought_of(seconds, seed):
    dice = random.Random(seed)
    system = server.ask("GET", f"/api/systems/{KEY}", OPERATOR).json()["data"]["id"]
    records = [r["id"] for r in server.ask("GET", f"/api/systems/{KEY}/inventory", OPERATOR).json()["data"]["records"]]
    known = {"id": [KEY, system, OTHER_KEY, "nobody", "info", "x' --", "é"], "receipt": [str(uuid.uuid4()), "x"],
             "record_id": records[:3] + [1, 2**63 - 1, 2**63, -1, "latest", "x"]}
    operations = list(document.operations())
    asked, good, end = 0, 0, time.monotonic() + seconds
    while time.monotonic() < end or asked < 300:
        path, method, operation = dice.choice(operations)
        target, allowed = a_request(dice, path, method, known)
        body = None
        if method == "post":
            body = dice.choice([b"", b"{}", b"[]", b"null", b"\xff", b'{"a":1}', b'[{"labels":{"a":"b"}}]', b'{"alerts":[]}',
                                b"[" * 600, b'{"a":"\\u0000"}', b'{"a":1e999}', b'{"data":{"a":1},"timestamp":"x"}'])
        headers = dict(authorization_of(operation)) if dice.random() < 0.95 else {"Authorization": dice.choice(["Basic !!", "Bearer", "x"])}
        if dice.random() < 0.1:
            headers["Accept"] = dice.choice(["text/csv", "application/x-ndjson;q=0.1", "*/*;q=", ";;,", "text/csv;q=nan"])
            allowed = None if allowed else allowed  # exports have no pages
        if dice.random() < 0.1:
            headers["If-None-Match"] = dice.choice(["*", "W/\"x\"", "\"", ",,", "é".encode().decode("latin-1")])
        answer = server.ask(method.upper(), target, headers, body)
        asked += 1
        good += answer.status < 300
        # A path's parameter may lead to another operation, and that one judges.
        other = path.replace("{record_id}", "latest") if target.split("?")[0].endswith("/latest") else path
        judged = "/api/systems/info" if path == "/api/systems/{id}" and "/info" in target.split("?")[0] else other
        if judged in document.paths and method in document.paths[judged]:
            document.check(judged, method, answer, f"{target} (seed {seed})")
        if answer.status >= 500 and answer.status not in (502, 503):
            raise Wrong(f"{method} {target} (seed {seed}): {answer.status} {answer.body[:300]!r}")
        operators = "operator" in operation["tags"] and headers.get("Authorization") == OPERATOR["Authorization"]
        if operators and judged == path:
            if allowed is True and answer.status == 400 and "{record_id}" not in path:
                raise Wrong(f"{target} (seed {seed}): the document allows this: {answer.body!r}")
            if allowed is False and answer.status == 200 and not harmless(target):
                raise Wrong(f"{target} (seed {seed}): the document does not allow this")
    print(f"{asked} requests that nobody thought of, {good} of them answered with 2xx")


def harmless(target):
    """Every hostile value may be a good text of some parameter: only the strict kinds are judged."""
    strict = {"page_size", "page", "resolved", "include_deleted", "severity", "diff_type", "status", "min_severity", "format", "inventory_id"}
    for name, value in (pair.split("=", 1) for pair in target.split("?", 1)[1].split("&")):
        if name not in strict and name not in ("search", "category", "type", "organization_id", "alert_type", "system", "cursor",
                                               "from_date", "to_date"):
            return False
        if name in strict and not judged_good(name, urllib.parse.unquote_plus(value)):
            return False
    return True


def judged_good(name, value):
    for path, method, _ in document.operations():
        for parameter in document.parameters(path, method, "query"):
            if parameter["name"] != name:
                continue
            schema = document.resolve(parameter["schema"])
            kind = schema.get("type")
            parsed = int(value) if kind == "integer" and value.isascii() and value.isdigit() else \
                {"true": True, "false": False}.get(value, value) if kind == "boolean" else value
            if document.valid(schema, parsed):
                return True
    return False


appliances()
backups()
alertmanager()
operator()
service()
methods()
all_was_seen()
SEED = int(os.environ.get("COLLECT_TEST_SEED") or random.randrange(2**32))
print(f"COLLECT_TEST_SEED={SEED}")
unthought_of(float(os.environ.get("COLLECT_API_SECONDS", "5")), SEED)
