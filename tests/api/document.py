# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document as the judge of answers. Everything that it does not promise is a Wrong."""
import csv
import http.client
import io
import json
import re
import urllib.parse

import jsonschema
import yaml

METHODS = ("get", "post", "put", "delete", "patch")
# What the door says of requests that no endpoint has seen (net/): documented as "default".
OF_THE_DOOR = {405, 408, 413, 414, 431, 500}


class Wrong(AssertionError):
    pass


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.body = response.read()
        self.headers = response.headers

    def json(self):
        return json.loads(self.body)

    @property
    def media_type(self):
        return self.headers.get_content_type() if self.headers.get("Content-Type") else None


class Server:
    """One kept connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method, target, headers=None, body=None):
        for again in (True, False):
            try:
                self.connection.request(method, target, body=body, headers=headers or {})
                return Answer(self.connection.getresponse())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # A kept connection that the server ended after a refusal.
                self.connection.close()
                if not again:
                    raise


class Document:
    def __init__(self, text):
        self.root = yaml.safe_load(text)
        self.paths = self.root["paths"]
        self.seen = set()  # (path, method, status)
        for name, schema in self.root["components"]["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(schema)
        resolver = jsonschema.RefResolver("", self.root)
        self.validator = lambda schema: jsonschema.Draft202012Validator(schema, resolver=resolver)

    def resolve(self, node):
        while "$ref" in node:
            found = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def operations(self):
        for path, item in self.paths.items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def parameters(self, path, method, where):
        item = self.paths[path]
        listed = item.get("parameters", []) + item[method].get("parameters", [])
        return [p for p in map(self.resolve, listed) if p["in"] == where]

    def valid(self, schema, value):
        return self.validator(schema).is_valid(value)

    def check(self, path, method, answer, told=""):
        """The answer is one that the document promises for that operation."""
        def fail(why):
            raise Wrong(f"{method.upper()} {path} {told}: {answer.status}: {why}\n{answer.body[:600]!r}")

        responses = self.paths[path][method]["responses"]
        status = str(answer.status)
        if status not in responses and answer.status not in OF_THE_DOOR:
            fail("the document does not name this status")
        response = self.resolve(responses.get(status, responses["default"]))
        self.seen.add((path, method, answer.status))
        for name, header in response.get("headers", {}).items():
            header = self.resolve(header)
            value = answer.headers.get(name)
            if value is None:
                if header.get("required"):
                    fail(f"there is no header {name}")
            elif not self.valid(header["schema"], value):
                fail(f"header {name} is {value!r}")
        content = response.get("content")
        if content is None:
            if answer.body:
                fail("expected no body")
            return
        if answer.media_type not in content:
            fail(f"content type {answer.media_type}, expected one of {list(content)}")
        schema = content[answer.media_type].get("schema", {})
        if answer.media_type == "application/json":
            self.check_value(schema, answer.json(), fail)
            told_code = answer.json()
            if isinstance(told_code, dict) and told_code.get("code", answer.status) != answer.status:
                fail("the envelope's code is another")
        elif answer.media_type == "application/x-ndjson":
            for line in answer.body.decode().splitlines():
                self.check_value(schema, json.loads(line), fail)
        elif answer.media_type == "text/csv":
            rows = list(csv.reader(io.StringIO(answer.body.decode(), newline="")))
            if any(len(row) != len(rows[0]) for row in rows):
                fail("rows of unequal length")

    def check_value(self, schema, value, fail):
        for error in self.validator(schema).iter_errors(value):
            where = ".".join(map(str, error.absolute_path))
            fail(f"at {where or 'the top'}: {error.message[:300]}")


def filled(path, values):
    return re.sub(r"{(\w+)}", lambda m: urllib.parse.quote(str(values[m.group(1)]), safe=""), path)
