#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: what an inventory costs in each part, and what the whole process does on each engine.

Starts a PostgreSQL and a Redis of its own in a temporary folder, on free ports of 127.0.0.1. Ends with the table of
goals and appends a line with the machine's description to bench/results.md.

    bench/run.py [--seconds N] [--systems N] [--connections N] [--no-record]
"""
import argparse
import base64
import contextlib
import datetime
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLLECT = os.path.join(ROOT, "build", "collect")
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_of(pid):
    """Seconds of a process, its children that ended, and those that live."""
    total = 0.0
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    total += sum(int(fields[i]) for i in range(11, 15)) / TICK
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            for child in f.read().split():
                with contextlib.suppress(OSError):
                    total += cpu_of(child)
    return total


def wait_until(check, what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.01)
    sys.exit(f"{what} did not answer within {seconds} s")


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)


@contextlib.contextmanager
def servers(folder):
    """PostgreSQL and Redis with the durability that they have by default; yields (settings, {name: pid})."""
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not binaries or not shutil.which("redis-server"):
        sys.exit("no PostgreSQL or Redis here: scripts/install_packages test")
    data = os.path.join(folder, "postgres")
    os.chmod(os.path.dirname(folder), 0o755)
    os.mkdir(data)
    as_user = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(data, user.pw_uid, user.pw_gid)
        os.chmod(folder, 0o755)
        as_user = {"user": user.pw_uid, "group": user.pw_gid}
    subprocess.run([binaries[-1] + "/initdb", "-D", data + "/data", "-A", "trust", "-U", "collect", "--locale=C",
                    "--encoding=UTF8"], check=True, stdout=subprocess.DEVNULL, cwd=data, **as_user)
    database, queue = free_port(), free_port()
    postgres = [binaries[-1] + "/postgres", "-D", data + "/data", "-c", "listen_addresses=127.0.0.1", "-c",
                f"port={database}", "-c", f"unix_socket_directories={data}", "-c", "shared_buffers=512MB", "-c",
                "max_wal_size=4GB"]
    redis = ["redis-server", "--port", str(queue), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes",
             "--save", ""]
    with running(postgres, cwd=data, **as_user) as p, running(redis) as r:
        wait_until(lambda: listens(database) and listens(queue), "PostgreSQL or Redis")
        time.sleep(1)
        yield ({"DATABASE_URL": f"postgresql://collect@127.0.0.1:{database}/postgres",
                "REDIS_URL": f"redis://127.0.0.1:{queue}"}, {"PostgreSQL": p.pid, "Redis": r.pid})


class Service:
    """`collect serve` with a place of its own."""

    def __init__(self, folder, settings):
        self.port = free_port()
        self.environment = {"PATH": os.environ["PATH"], "COLLECT_DATA_DIR": folder, "ENV_FILE": "/dev/null",
                            "LISTEN_ADDRESS": f"127.0.0.1:{self.port}", "LOG_LEVEL": "warn", **settings}
        login = self.new_system()
        began = time.monotonic()
        self.process = subprocess.Popen([COLLECT, "serve"], env=self.environment, cwd=folder,
                                        stdout=subprocess.DEVNULL, stderr=open(os.path.join(folder, "log"), "w"))
        wait_until(lambda: self.accepts(login), "collect serve")
        self.seconds_to_202 = time.monotonic() - began
        wait_until(self.healthy, "collect serve")

    def command(self, *arguments):
        done = subprocess.run([COLLECT, *arguments, "--json"], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"collect {arguments[0]} {arguments[1]} failed: {done.stderr}")
        return json.loads(done.stdout)

    def new_system(self):
        subprocess.run([COLLECT, "migrate"], env=self.environment, check=True, stdout=subprocess.DEVNULL)
        organization = self.command("org", "create", "--name", "Bench")
        system = self.command("system", "create", "--org", organization["id"], "--name", "first")
        login = f"{system['system_key']}:{system['system_secret']}"
        return "Basic " + base64.b64encode(login.encode()).decode()

    def accepts(self, login):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/systems/inventory",
                                         b'{"facts":{"fqdn":"first.example.org"}}',
                                         {"Authorization": login, "Content-Type": "application/json"})
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(request, timeout=1).status == 202
        return False

    def healthy(self):
        if self.process.poll() is not None:
            sys.exit("collect serve ended: " + open(os.path.join(self.environment["COLLECT_DATA_DIR"], "log")).read())
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/health", timeout=1).status == 200
        return False

    def memory_mb(self, line="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(row.split()[1]) / 1024 for row in f if row.startswith(line))

    def load(self, *arguments):
        done = subprocess.run([COLLECT, "load", "--url", f"http://127.0.0.1:{self.port}", "--json", "--server-pid",
                               str(self.process.pid), *arguments], env=self.environment, capture_output=True, text=True)
        if not done.stdout:
            sys.exit("collect load failed: " + done.stderr)
        return json.loads(done.stdout)

    def stop(self):
        """Seconds from SIGTERM to the exit."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(60)
        return time.monotonic() - began


def measure(name, folder, settings, processes, arguments):
    os.mkdir(folder)
    service = Service(folder, settings)
    out = {"engine": name, "start_s": service.seconds_to_202, "idle_mb": service.memory_mb()}
    fleet = ["--systems", str(arguments.systems), "--connections", str(arguments.connections)]
    beats = service.load(*fleet, "--heartbeats", "--warm-up", "--duration", f"{arguments.seconds}s")
    out["heartbeats_per_s"] = beats["accepted_per_second"]
    out["heartbeat_us"] = beats["server_cpu_us_per_accepted"]
    before = {each: cpu_of(pid) for each, pid in processes.items()}
    size = [*fleet, "--size", "30KB", "--warm-up"]
    flat = service.load(*size, "--duration", f"{arguments.seconds}s")
    out["cpu_us"] = {"collect": flat["server_cpu_us_per_accepted"]}
    for each, pid in processes.items():
        posted = flat["accepted"] + arguments.systems  # the warm-up's too
        out["cpu_us"][each] = (cpu_of(pid) - before[each]) * 1e6 / posted
    out["cpu_us"]["load"] = flat["client_cpu_us_per_accepted"]
    out["processed_per_s"] = flat["processed_per_second"]
    out["accepted_per_s"] = flat["accepted_per_second"]
    out["complete"] = flat["complete"]
    out["peak_mb"] = flat["server_peak_rss_mb"]
    paced = service.load(*size, "--duration", f"{arguments.seconds}s", "--rate", f"{0.8 * out['processed_per_s']:.0f}")
    out["p99_ms"] = paced["latency_p99_ms"]
    out["visible_s"] = max(0.0, paced["whole_seconds"] - arguments.seconds)  # the last one; the others were sooner
    out["complete"] = out["complete"] and paced["complete"] and beats["complete"]
    out["stop_s"] = service.stop()
    if not processes:
        with contextlib.closing(sqlite3.connect(os.path.join(folder, "collect.db"))) as file:
            out["document_bytes"] = file.execute("SELECT avg(length(frame)) FROM packed_documents").fetchone()[0]
    return out


def micro():
    command = [os.path.join(ROOT, "build", "hot_parts_bench"), "--benchmark_format=json", "--benchmark_min_time=0.5"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("hot_parts_bench failed: " + done.stderr)
    parts = {}
    for each in json.loads(done.stdout)["benchmarks"]:
        name = each["name"].split("/")[0]
        parts[name] = each.get("bytes", each["real_time" if "manual_time" in each["name"] else "cpu_time"])
    return parts


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown CPU")
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) / 1048576
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {os.uname().release}"


def goals(parts, runs):
    embedded, jsonb, compact = (runs[name] for name in ("embedded", "PostgreSQL jsonb", "PostgreSQL compact"))
    rows = [("PostgreSQL (JSONB) + Redis, processed", "2,500/s", f"{jsonb['processed_per_s']:.0f}/s"),
            ("PostgreSQL, compact store, processed", "6,000/s", f"{compact['processed_per_s']:.0f}/s"),
            ("embedded, processed", "8,000/s", f"{embedded['processed_per_s']:.0f}/s"),
            ("accept path, CPU without the queue", "≤ 50 µs",
             f"{parts['accept']:.0f} µs, where nothing else comes {parts['accept_alone']:.0f} µs"),
            ("accepting p99 at 80 % of that, embedded", "≤ 50 ms", f"{embedded['p99_ms']:.0f} ms"),
            ("change visible after its 202, embedded", "≤ 2 s", f"at most {embedded['visible_s']:.1f} s"),
            ("stored document, only counters moved", "≤ 400 bytes", f"{parts['counters_only']:.0f} bytes"),
            ("memory under load", "≤ 1 GiB", f"{max(r['peak_mb'] for r in runs.values()):.0f} MB, {embedded['systems']} systems"),
            ("memory idle, embedded", "≤ 30 MB", f"{embedded['idle_mb']:.0f} MB"),
            ("heartbeats, embedded", "30,000/s",
             f"{embedded['heartbeats_per_s']:.0f}/s, {embedded['heartbeat_us']:.0f} µs each"),
            ("heartbeats, PostgreSQL", "30,000/s",
             f"{jsonb['heartbeats_per_s']:.0f}/s, {jsonb['heartbeat_us']:.0f} µs each"),
            ("backup upload", "≥ 70 % of curl", "bench/backups.py"),
            ("cost growth", "flat", "bench/history.py, bench/retention.py"),
            ("start to first 202, embedded", "≤ 1 s", f"{embedded['start_s']:.2f} s"),
            ("SIGTERM to exit", "≤ 5 s", f"{max(r['stop_s'] for r in runs.values()):.1f} s")]
    return rows


def record(row):
    """Under the rows of the first table of bench/results.md."""
    path = os.path.join(ROOT, "bench", "results.md")
    with open(path) as f:
        lines = f.read().split("\n")
    end = next(i for i, line in enumerate(lines) if line.startswith("|"))
    while lines[end].startswith("|"):
        end += 1
    lines.insert(end, row)
    with open(path, "w") as f:
        f.write("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--systems", type=int, default=300)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--no-record", action="store_true", help="leave bench/results.md alone")
    arguments = parser.parse_args()

    parts = micro()
    print("CPU of one inventory of 30 KB, in µs, by part")
    for name, value in parts.items():
        print(f"  {name:<16}{value:8.1f}")
    runs = {}
    with tempfile.TemporaryDirectory(prefix="collect-bench-") as folder:
        runs["embedded"] = measure("embedded", folder + "/embedded", {}, {}, arguments)
        for store in ("jsonb", "compact"):
            os.mkdir(f"{folder}/servers-{store}")
            with servers(f"{folder}/servers-{store}") as (settings, processes):
                name = f"PostgreSQL {store}"
                runs[name] = measure(name, f"{folder}/{store}", {**settings, "INVENTORY_STORE": store}, processes,
                                     arguments)
    for name, run in runs.items():
        run["systems"] = arguments.systems
        cpu = ", ".join(f"{process} {value:.0f}" for process, value in run["cpu_us"].items())
        print(f"\n{name}: {run['processed_per_s']:.0f} processed/s ({run['accepted_per_s']:.0f} accepted/s), every change "
              f"{'found' if run['complete'] else 'NOT FOUND'}\n  CPU of one in µs: {cpu}")
    print(f"\n{'goal':<42}{'':<14}here")
    for what, wanted, here in goals(parts, runs):
        print(f"{what:<42}{wanted:<14}{here}")
    if not arguments.no_record:
        commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True,
                                text=True).stdout.strip()
        cells = [f"{datetime.date.today()} `{commit}`", machine(), f"{os.getloadavg()[2]:.1f}"]
        cells += [f"{run['processed_per_s']:.0f} ({sum(v for k, v in run['cpu_us'].items() if k != 'load'):.0f} µs)"
                  for run in runs.values()]
        cells += [f"{parts['accept']:.0f}", f"{parts['counters_only']:.0f}", f"{runs['embedded']['p99_ms']:.0f}"]
        record("| " + " | ".join(cells) + " |")
    return 0 if all(run["complete"] for run in runs.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
