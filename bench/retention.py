#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make bench-retention: how long retention takes for three years of 1,000 systems, and whether what stays is right.

Some systems report through the product's own code (retention_fill), the others are copies of their rows. Then
`collect retention --dry-run` and `collect retention` run on each engine, and what is left is compared with a reading of
the table in Python that knows nothing of the C++ one. Fails where they differ.

    bench/retention.py [--engine embedded|servers] [--systems N] [--days N] [--bytes N]
"""
import argparse
import collections
import contextlib
import datetime
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

from run import COLLECT, ROOT, cpu_of, servers

SOURCES = 20  # systems that report; the others are copies


class Sqlite:
    def __init__(self, folder, _):
        self.file = folder + "/collect.db"

    def rows(self, sql):
        with contextlib.closing(sqlite3.connect(self.file)) as database:
            return database.execute(sql).fetchall()

    def multiply(self, copies):
        """Each copy of a record has the record's number and `step` more for each."""
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous=OFF")
            database.execute("PRAGMA cache_size=-500000")
            database.execute("UPDATE inventory_records SET processed_at = created_at")
            step = database.execute("SELECT max(id) FROM inventory_records").fetchone()[0]
            columns = ", ".join(row[1] for row in database.execute("PRAGMA table_info(systems)")
                                if row[1] not in ("id", "system_key", "system_secret_public"))
            numbers = f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {copies - 1})"
            database.execute("BEGIN")
            database.execute(f"""INSERT INTO systems (id, system_key, system_secret_public, {columns}) {numbers}
                SELECT id || '-' || n, system_key || '-' || n, system_secret_public || '-' || n, {columns} FROM copy, systems""")
            database.execute(f"""INSERT INTO inventory_records (id, system_id, timestamp, data_hash, data_size, processed_at,
                  has_changes, change_count, created_at, updated_at) {numbers}
                SELECT id + n * {step}, system_id || '-' || n, timestamp, data_hash, data_size, processed_at, has_changes,
                  change_count, created_at, updated_at FROM copy, inventory_records""")
            database.execute(f"""INSERT INTO packed_documents (record_id, base_id, position, frame, document_hash) {numbers}
                SELECT record_id + n * {step}, base_id + n * {step}, position, frame, document_hash
                FROM copy, packed_documents""")
            database.execute("COMMIT")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def size(self):
        return os.path.getsize(self.file)


class Postgres:
    def __init__(self, _, settings):
        self.url = settings["DATABASE_URL"]

    def sql(self, text):
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.url], input=text,
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("psql: " + done.stderr)
        return done.stdout

    def rows(self, sql):
        return [line.split("\t") for line in self.sql(sql).splitlines()]

    def multiply(self, copies):
        step = int(self.sql("SELECT max(id) FROM inventory_records"))
        copy_of = "(left(system_id::text, 8) || right('0000' || n, 4) || right(system_id::text, 24))"
        copied = lambda column: f"overlay({column}::text placing lpad(n::text, 4, '0') from 10 for 4)"
        self.sql(f"""
          SET synchronous_commit = off;
          UPDATE inventory_records SET processed_at = created_at;
          INSERT INTO systems (id, name, organization_id, system_key, custom_data, created_by, created_at, updated_at)
          SELECT {copied("id")}, name, organization_id, system_key || '-' || n, custom_data, created_by, created_at, updated_at
          FROM systems, generate_series(1, {copies - 1}) n;
          INSERT INTO inventory_records (id, system_id, timestamp, data, data_hash, data_size, processed_at, has_changes,
            change_count, created_at, updated_at)
          SELECT id + n * {step}, {copied("system_id")}, timestamp, data, data_hash, data_size, processed_at, has_changes,
            change_count, created_at, updated_at FROM inventory_records, generate_series(1, {copies - 1}) n;""")
        self.sql("VACUUM ANALYZE")

    def size(self):
        return int(self.sql("SELECT pg_database_size(current_database())"))


def months_before(moment, months):
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = moment.day
    while True:
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            day -= 1


def kept(records, now):
    """Ids of what the table keeps of one system; `records`: (id, created_at)."""
    def period(at):
        if at >= now - datetime.timedelta(days=7):
            return None
        if at >= months_before(now, 1):
            return "day", at.date()
        if at >= months_before(now, 3):
            return "week", at.isocalendar()[:2]
        if at >= months_before(now, 12):
            return "month", at.year, at.month
        return "quarter", at.year, (at.month - 1) // 3
    ordered = sorted(records, key=lambda record: (record[1], record[0]))
    newest = {}
    stay = {ordered[0][0], ordered[-1][0]}
    for id_, at in ordered:
        where = period(at)
        if where is None:
            stay.add(id_)
        else:
            newest[where] = id_
    return stay | set(newest.values())


def history(database):
    systems = collections.defaultdict(list)
    for id_, system, at in database.rows("SELECT id, system_id, created_at FROM inventory_records"):
        text = str(at).replace(" ", "T").replace("Z", "").split("+")[0]
        systems[system].append((int(id_), datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)))
    return systems


def collect(environment, *arguments, log=subprocess.DEVNULL):
    done = subprocess.run([COLLECT, *arguments], env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    if done.returncode != 0:
        sys.exit(f"collect {' '.join(arguments)}: exit code {done.returncode}")
    return done.stdout


def run(name, kind, folder, settings, arguments, processes=()):
    os.mkdir(folder)
    environment = {"PATH": os.environ["PATH"], "COLLECT_DATA_DIR": folder, "ENV_FILE": "/dev/null", "LOG_LEVEL": "warn",
                   "PGTZ": "UTC", **settings}
    os.environ["PGTZ"] = "UTC"
    filled = subprocess.run([os.path.join(ROOT, "build", "retention_fill"), str(SOURCES), str(arguments.days),
                             str(arguments.bytes)], env=environment, capture_output=True, text=True)
    if filled.returncode != 0:
        sys.exit("retention_fill: " + filled.stderr)
    database = kind(folder, settings)
    database.multiply(arguments.systems // SOURCES)
    before, size = history(database), database.size()
    records = sum(map(len, before.values()))
    now = datetime.datetime.now(datetime.timezone.utc)
    dry = json.loads(collect(environment, "retention", "--dry-run", "--json"))
    cpu = sum(map(cpu_of, processes)) + sum(os.times()[2:4])
    began = time.monotonic()
    done = json.loads(collect(environment, "retention", "--json"))
    seconds = time.monotonic() - began
    cpu = sum(map(cpu_of, processes)) + sum(os.times()[2:4]) - cpu
    after = history(database)

    wrong = [system for system, all_ in before.items() if {id_ for id_, _ in after.get(system, [])} != kept(all_, now)]
    told = {each["system_id"]: set(each["expired"]) for each in dry["systems"]}
    foretold = all(told.get(system, set()) == {id_ for id_, _ in all_} - {id_ for id_, _ in after[system]}
                   for system, all_ in before.items())
    some_key = database.rows("SELECT system_key FROM systems ORDER BY system_key DESC LIMIT 1")[0][0]
    readable = "data" in json.loads(collect(environment, "inventory", "latest", some_key, "--json"))
    removed = done["total"]["removed"]
    print(f"{name}: {len(before):,} systems, {records:,} records, {size / 1e9:.2f} GB\n"
          f"  {removed:,} went in {seconds:.1f} s: {seconds * 1000 / len(before):.1f} ms a system "
          f"({cpu * 1000 / len(before):.1f} ms of CPU), {removed / seconds:,.0f} records/s\n"
          f"  {records - removed:,} stay; {'just those of the table' if not wrong else f'WRONG for {len(wrong)} systems'}; "
          f"{'as --dry-run said' if foretold else 'NOT WHAT --dry-run SAID'}", flush=True)
    return not wrong and foretold and readable and removed > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["embedded", "servers"])
    parser.add_argument("--systems", type=int, default=1000)
    parser.add_argument("--days", type=int, default=1095)
    parser.add_argument("--bytes", type=int, default=8000)
    arguments = parser.parse_args()
    right = True
    with tempfile.TemporaryDirectory(prefix="collect-bench-") as folder:
        if arguments.engine != "servers":
            right = run("embedded, compact", Sqlite, folder + "/embedded", {}, arguments) and right
        if arguments.engine != "embedded":
            os.mkdir(folder + "/data")
            with servers(folder + "/data") as (settings, processes):
                right = run("PostgreSQL, jsonb", Postgres, folder + "/servers", settings, arguments,
                            processes.values()) and right
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
