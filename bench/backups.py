#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One large backup in and out, through Collect and with plain curl to the same storage.

For a directory, plain curl speaks to a bare HTTP server that writes the body to a file of the same file system
and syncs it, as Collect does, and sends it back with sendfile; for S3 it sends one PUT and one GET to the same server:
the fake of the tests, over http and over https, and s3rver. Prints a row for each: MB/s of both, their ratio, and how
much the service's memory grew over what it was when idle.

  bench/backups.py [--gigabytes 5] [--runs 3] [--folder FOLDER]     needs three times the size free there
"""
import argparse
import http.server
import json
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLLECT = ROOT / "build" / "collect"
S3RVER = ROOT / "build" / "s3rver" / "node_modules" / "s3rver" / "bin" / "s3rver.js"
KEY = "S3RVER"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(url):
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except Exception:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


class Memory:
    """The peak of a process's resident memory while a block runs, in MB."""

    def __init__(self, pid):
        self.pid, self.peak, self.over = pid, 0, threading.Event()

    def now(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0

    def watch(self):
        while not self.over.wait(0.05):
            self.peak = max(self.peak, self.now())

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def warm_up(folder):
    """The disk is done with what was written before, and all memory is page cache: a virtual machine gives back what
    is free, and getting it again is slow and would be measured instead."""
    os.sync()
    total = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines()
                if line.startswith("MemTotal:"))
    holes = folder / "holes"
    with open(holes, "ab") as file:
        file.truncate(total * 1024)
    subprocess.run(["cat", holes], stdout=subprocess.DEVNULL, check=True)


def curl(*words):
    started = time.monotonic()
    done = subprocess.run(["curl", "--fail-with-body", "-sS", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"curl {' '.join(map(str, words))}: {done.stderr}{done.stdout}")
    return time.monotonic() - started, done.stdout


class Bare(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        left = int(self.headers["Content-Length"])
        piece = memoryview(bytearray(1 << 18))
        with open(self.server.copy, "wb", buffering=0) as file:
            while left > 0:
                count = self.connection.recv_into(piece[:min(left, len(piece))])
                file.write(piece[:count])
                left -= count
            os.fsync(file.fileno())
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(self.server.copy.stat().st_size))
        self.end_headers()
        with open(self.server.copy, "rb") as file:
            self.connection.sendfile(file)

    def log_message(self, *_):
        pass


class Directory:
    name = "directory"

    def __init__(self, folder):
        # Unbuffered: the body is read from the socket itself.
        Bare.rbufsize = 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bare)
        self.server.copy = folder / "plain"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def settings(self):
        return {}

    def put(self, big):
        return curl("-T", big, self.url)[0]

    def get(self):
        return curl("-o", "/dev/null", self.url)[0]

    def clear(self):
        self.server.copy.unlink()

    def stop(self):
        self.server.shutdown()


class S3:
    name = "s3rver"

    def __init__(self, folder):
        self.port = free_port()
        data = folder / "s3"
        data.mkdir()
        self.process = subprocess.Popen(
            ["node", S3RVER, "--directory", data, "--port", str(self.port), "--address", "127.0.0.1", "--silent",
             "--configure-bucket", "backups"],
            stdout=subprocess.DEVNULL,
            env={**os.environ, "NODE_OPTIONS": "--openssl-legacy-provider"})
        wait_for(f"http://127.0.0.1:{self.port}/backups")
        self.url = f"http://127.0.0.1:{self.port}/backups/plain"
        self.signed = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{KEY}:{KEY}",
                       "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]

    def settings(self):
        return {"S3_ENDPOINT": f"http://127.0.0.1:{self.port}", "S3_ACCESS_KEY": KEY, "S3_SECRET_KEY": KEY,
                "BACKUP_S3_BUCKET": "backups", "BACKUP_S3_USE_PATH_STYLE": "true"}

    def put(self, big):
        return curl(*self.signed, "-T", big, self.url)[0]

    def get(self):
        return curl(*self.signed, "-o", "/dev/null", self.url)[0]

    def clear(self):
        curl(*self.signed, "-X", "DELETE", self.url)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class FakeS3:
    name, scheme, options = "fake S3, http", "http", []

    def __init__(self, folder):
        self.process = subprocess.Popen([ROOT / "build" / "s3_bench_server", *self.options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(folder)})
        port, self.bucket, self.key, self.secret, self.region, self.authority = (
            self.process.stdout.readline().strip() for _ in range(6))
        self.endpoint = f"{self.scheme}://127.0.0.1:{port}"
        self.url = f"{self.endpoint}/{self.bucket}/plain"
        self.trust = ["--cacert", self.authority] if self.authority else []

    def settings(self):
        return {"S3_ENDPOINT": self.endpoint, "S3_ACCESS_KEY": self.key, "S3_SECRET_KEY": self.secret,
                "BACKUP_S3_BUCKET": self.bucket, "BACKUP_S3_REGION": self.region,
                "BACKUP_S3_USE_PATH_STYLE": "true", "BACKUP_S3_CA_FILE": self.authority}

    def put(self, big):
        return curl(*self.trust, "-T", big, self.url)[0]

    def get(self):
        return curl(*self.trust, "-o", "/dev/null", self.url)[0]

    def clear(self):
        curl(*self.trust, "-X", "DELETE", self.url)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class FakeS3OverTls(FakeS3):
    name, scheme, options = "fake S3, https", "https", ["--tls"]


class Service:
    def __init__(self, folder, more):
        port = free_port()
        self.env = {**os.environ, "COLLECT_DATA_DIR": str(folder / "data"), "LISTEN_ADDRESS": f"127.0.0.1:{port}",
                    "LOG_LEVEL": "warn", "BACKUP_MAX_UPLOAD_SIZE": "100GB", "BACKUP_MAX_SIZE_PER_SYSTEM": "1000GB",
                    "BACKUP_MAX_SIZE_PER_ORG": "0", "BACKUP_RATE_LIMIT_PER_MINUTE": "0",
                    "BACKUP_RATE_LIMIT_PER_HOUR": "0", **more}
        self.process = subprocess.Popen([COLLECT, "serve"], env=self.env, stdout=subprocess.DEVNULL)
        wait_for(f"http://127.0.0.1:{port}/api/health/live")
        org = self.cli("org", "create", "--name", "Bench")["id"]
        system = self.cli("system", "create", "--org", org, "--name", "Box")
        self.login = ["--user", f"{system['system_key']}:{system['system_secret']}"]
        self.url = f"http://127.0.0.1:{port}/api/systems/backups"

    def cli(self, *words):
        return json.loads(subprocess.run([COLLECT, *words, "--json"], env=self.env, check=True,
                                         capture_output=True).stdout)

    def put(self, file):
        seconds, out = curl(*self.login, "-X", "POST", "-T", file, self.url)
        return seconds, json.loads(out)["data"]["id"]

    def get(self, backup):
        return curl(*self.login, "-o", "/dev/null", f"{self.url}/{backup}")[0]

    def remove(self, backup):
        curl(*self.login, "-X", "DELETE", f"{self.url}/{backup}")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def measure(make_place, folder, big, runs):
    place = make_place(folder)
    service = Service(folder, place.settings())
    try:
        small = folder / "small"
        small.write_bytes(b"x" * 1000)
        service.remove(service.put(small)[1])
        time.sleep(2)
        idle = Memory(service.process.pid).now()
        rows = {"upload": ([], [], []), "download": ([], [], [])}
        for _ in range(runs):
            plain, through, memory = rows["upload"]
            warm_up(folder)
            plain.append(place.put(big))
            warm_up(folder)
            with Memory(service.process.pid) as watched:
                seconds, backup = service.put(big)
            through.append(seconds)
            memory.append(watched.peak - idle)
            plain, through, memory = rows["download"]
            plain.append(place.get())
            with Memory(service.process.pid) as watched:
                through.append(service.get(backup))
            memory.append(watched.peak - idle)
            service.remove(backup)
            place.clear()
        size = big.stat().st_size / 1e6
        for way, (plain, through, memory) in rows.items():
            a, b = size / statistics.median(plain), size / statistics.median(through)
            print(f"| {place.name} | {way} | {a:.0f} | {b:.0f} | {100 * b / a:.0f} % | {idle:.0f} | "
                  f"+{max(memory):.0f} |", flush=True)
    finally:
        service.stop()
        place.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", help="part of a storage's name")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        big = Path(name) / "big"
        with open(big, "wb") as file:
            left = int(given.gigabytes * 1e9)
            while left > 0:
                left -= file.write(os.urandom(min(left, 1 << 22)))
        print("| storage | way | curl MB/s | Collect MB/s | ratio | idle MB | peak MB |\n"
              "|---|---|---|---|---|---|---|", flush=True)
        for place in (Directory, FakeS3, FakeS3OverTls, S3):
            if given.only and given.only not in place.name:
                continue
            folder = Path(name) / place.name.replace(" ", "-").replace(",", "")
            folder.mkdir()
            measure(place, folder, big, given.runs)


if __name__ == "__main__":
    main()
