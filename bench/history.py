#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make bench-history: how long pages of the operator's API take where ten million diffs are stored.

Fills a database of each engine with three years of 1,000 systems (a record a day, some 8,000 diffs each) and of one
that is never still (two million diffs), starts `collect serve` on it and asks. Times are those of the whole answer,
from the request's first byte to the answer's last, so the database's share is less. Needs some 10 GB in the temporary
folder. A page also has its CPU in all servers together, which other programs on the machine do not change: it fails
when that is 50 ms or more on average for a page of `timeline` or `diffs`.

    bench/history.py [--engine embedded|servers] [--asks N]
"""
import argparse
import contextlib
import http.client
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid

from run import COLLECT, Service, cpu_of, servers

TOKEN = "operator-token-of-the-history-bench-01"
SYSTEMS = 1000
DAYS = 1095
GOAL_MS = 50
IDS = [str(uuid.UUID(int=n + 1)) for n in range(SYSTEMS + 1)]  # the last one is never still
BUSY = IDS[-1]


def systems_sql(time_text):
    rows = ",".join(f"('{id_}','system {n}','org','NETH-{n:04}','{{}}','{{}}',{time_text},{time_text})"
                    for n, id_ in enumerate(IDS))
    return ("INSERT INTO systems (id, name, organization_id, system_key, custom_data, created_by, created_at, updated_at) "
            f"VALUES {rows}")


def words(number, *choices):
    """One of the words, by that number, in SQL."""
    return f"CASE ({number}) % {len(choices)} " + " ".join(f"WHEN {i} THEN '{word}'" for i, word in enumerate(choices)) + " END"


# What a diff says, by its record's id and its number i in there.
def diff_columns(as_json):
    return f"""
      r.system_id, r.id - 1, r.id, {words("r.id + i", "create", "delete", *["update"] * 6)},
      {words("r.id * 7 + i", "os", "modules", "hardware", "network", "nodes", "system")},
      {words("r.id + i * 3", *["low"] * 6, "medium", "medium", "high", "critical")},
      'facts.nodes.' || (i % 4) || '.services.unit_' || ((r.id * 31 + i) % 500) || '.state.value',
      {as_json("r.id")}, {as_json("r.id + 1")}, r.created_at"""


# How many diffs a record has.
COUNT = f"CASE WHEN r.system_id = '{BUSY}' THEN 18 + (r.id % 2) ELSE 7 + (CASE WHEN r.id % 10 < 4 THEN 1 ELSE 0 END) END"


def fill_postgres(url):
    def sql(text):
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url], input=text,
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("psql: " + done.stderr)
        return done.stdout

    sql(systems_sql("now()"))
    created = sql("SELECT indexdef || ';' FROM pg_indexes WHERE tablename = 'inventory_diffs' AND indexname LIKE 'collect%'")
    sql("".join(f"DROP INDEX {line.split()[2]};" for line in created.splitlines()))
    sql(f"""
      SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '1GB';
      INSERT INTO inventory_records (system_id, timestamp, data, data_hash, data_size, processed_at, has_changes,
        change_count, created_at, updated_at)
      SELECT id, t, '{{}}', row_number() OVER (), 2, t, true, 8, t, t FROM (
        SELECT s.id, now() - make_interval(days => d, secs => abs(hashtext(s.id::text)) % 80000) AS t
        FROM generate_series(0, {DAYS - 1}) d, systems s WHERE s.id::text <> '{BUSY}'
        UNION ALL SELECT '{BUSY}', now() - make_interval(secs => d * 864) FROM generate_series(0, {DAYS * 100 - 1}) d
      ) AS r ORDER BY t;
      INSERT INTO inventory_diffs (system_id, previous_id, current_id, diff_type, category, severity, field_path,
        previous_value, current_value, created_at, notification_sent)
      SELECT {diff_columns(lambda number: f"to_jsonb({number})")}, true
      FROM inventory_records r, generate_series(1, {COUNT}) i ORDER BY r.id;
      {created}""")
    sql("VACUUM ANALYZE inventory_diffs")
    sql("VACUUM ANALYZE")
    return int(sql("SELECT count(*) FROM inventory_diffs")), int(sql("SELECT pg_database_size(current_database())"))


def fill_sqlite(file):
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-1000000", "journal_mode=MEMORY"):
            database.execute("PRAGMA " + pragma)
        stamp = "strftime('%Y-%m-%dT%H:%M:%S.000000Z', 'now', {})"
        database.execute(systems_sql(stamp.format("'0 days'")))
        indexes = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND "
                                   "tbl_name = 'inventory_diffs'").fetchall()
        for name, _ in indexes:
            database.execute("DROP INDEX " + name)
        typical = stamp.format("(-86400 * d - s.n) || ' seconds'")
        busy = stamp.format("(-864 * d) || ' seconds'")
        database.execute(f"""
          WITH RECURSIVE days(d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM days WHERE d < {DAYS - 1}),
            moments(d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM moments WHERE d < {DAYS * 100 - 1})
          INSERT INTO inventory_records (system_id, timestamp, data_hash, data_size, processed_at, has_changes,
            change_count, created_at, updated_at)
          SELECT id, t, row_number() OVER (ORDER BY t), 2, t, 1, 8, t, t FROM (
            SELECT s.id, {typical} AS t FROM days, (SELECT id, rowid * 77 AS n FROM systems WHERE id <> '{BUSY}') s
            UNION ALL SELECT '{BUSY}', {busy} FROM moments) ORDER BY t""")
        database.execute(f"""
          WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 20)
          INSERT INTO inventory_diffs (system_id, previous_id, current_id, diff_type, category, severity, field_path,
            previous_value, current_value, created_at, notification_sent)
          SELECT {diff_columns(lambda number: f"CAST({number} AS TEXT)")}, 1 FROM inventory_records r CROSS JOIN number ON i <= {COUNT} ORDER BY r.id""")
        for _, sql in indexes:
            database.execute(sql)
        return database.execute("SELECT count(*) FROM inventory_diffs").fetchone()[0], os.path.getsize(file)


class Asker:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def get(self, path):
        """Seconds, bytes."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers={"Authorization": "Bearer " + TOKEN})
        answer = self.connection.getresponse()
        size = 0
        while part := answer.read(1 << 20):
            size += len(part)
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status}")
        return time.perf_counter() - began, size

    def cursor(self, path):
        self.connection.request("GET", path, headers={"Authorization": "Bearer " + TOKEN})
        return json.load(self.connection.getresponse())["data"]["pagination"]["next_cursor"]


# Name, path below …/inventory/, whether the goal is for it.
QUESTIONS = [
    ("timeline", "timeline", True),
    ("timeline, page 10", "timeline?page=10", True),
    ("timeline, 100 days by cursor", "timeline?page_size=100&cursor={timeline}", True),
    ("diffs", "diffs", True),
    ("diffs, page 100", "diffs?page=100", True),
    ("diffs, 100 by cursor", "diffs?page_size=100&cursor={diffs}", True),
    ("diffs, severity=critical", "diffs?severity=critical", True),
    ("diffs, category and type", "diffs?category=os&diff_type=create", True),
    ("diffs, a month two years ago", "diffs?from_date={early}&to_date={late}", True),
    ("diffs, search", "diffs?search=unit_123.", True),
    ("diffs, latest", "diffs/latest", True),
    ("changes", "changes", False),
    ("inventories", "", False)]


def measure(service, processes, asks):
    asker = Asker(service.port)
    day = lambda ago: time.strftime("%Y-%m-%d", time.gmtime(time.time() - ago * 86400))
    places = {"early": day(730), "late": day(700)}
    dice = random.Random(1)
    rows = []
    for name, path, has_goal in QUESTIONS:
        medians = []
        for system in (None, BUSY):
            paths = []
            for _ in range(asks):
                root = f"/api/systems/{system or dice.choice(IDS[:-1])}/inventory"
                for place in ("timeline", "diffs"):
                    if "{" + place + "}" in path:
                        places[place] = urllib.parse.quote(asker.cursor(f"{root}/{place}?page=5"))
                paths.append((root + "/" + path.format(**places)).rstrip("/"))
            cpu = sum(map(cpu_of, processes))
            times = [asker.get(each)[0] * 1000 for each in paths]
            medians.append((statistics.median(times), (sum(map(cpu_of, processes)) - cpu) * 1000 / asks))
        rows.append((name, medians, has_goal))
    return rows, asker.get(f"/api/systems/{BUSY}/inventory/diffs?format=ndjson")


def run(name, folder, settings, fill, asks, processes=()):
    os.mkdir(folder)
    environment = {"OPERATOR_TOKEN": TOKEN, **settings}
    subprocess.run([COLLECT, "migrate"], check=True, stdout=subprocess.DEVNULL, cwd=folder,
                   env={"PATH": os.environ["PATH"], "COLLECT_DATA_DIR": folder, "ENV_FILE": "/dev/null", **environment})
    began = time.monotonic()
    diffs, size = fill()
    print(f"\n## {name}: {diffs:,} diffs, {size / 1e9:.1f} GB, filled in {time.monotonic() - began:.0f} s\n", flush=True)
    service = Service(folder, environment)
    rows, (export_s, export_bytes) = measure(service, [service.process.pid, *processes], asks)
    print("| page | a system of many: median ms | CPU ms | the busy one: median ms | CPU ms |\n|---|---|---|---|---|")
    late = []
    for question, medians, has_goal in rows:
        print(f"| {question} | " + " | ".join(f"{value:.1f}" for pair in medians for value in pair) + " |")
        if has_goal and max(cpu for _, cpu in medians) >= GOAL_MS:
            late.append(question)
    print(f"\nexport of the busy one's diffs: {export_bytes / 1e6:.0f} MB in {export_s:.1f} s; "
          f"{service.memory_mb('VmHWM'):.0f} MB of memory at most", flush=True)
    service.stop()
    return late


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["embedded", "servers"])
    parser.add_argument("--asks", type=int, default=30)
    arguments = parser.parse_args()
    late = []
    with tempfile.TemporaryDirectory(prefix="collect-bench-") as folder:
        if arguments.engine != "servers":
            place = folder + "/embedded"
            late += run("embedded", place, {}, lambda: fill_sqlite(place + "/collect.db"), arguments.asks)
        if arguments.engine != "embedded":
            os.mkdir(folder + "/data")
            with servers(folder + "/data") as (settings, processes):
                late += run("PostgreSQL", folder + "/servers", settings, lambda: fill_postgres(settings["DATABASE_URL"]),
                            arguments.asks, processes.values())
    if late:
        sys.exit(f"{GOAL_MS} ms of CPU or more: " + ", ".join(late))


if __name__ == "__main__":
    main()
