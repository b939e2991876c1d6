#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py BUILD [TREE]: makes the Debian package from the build folder, twice as two releases, and lives a life with
it: installed, started as its unit says, an inventory posted, upgraded, removed, purged.

Nothing of this machine changes: the package goes into an overlay over TREE, in namespaces of its own (files,
processes, network). TREE is a folder with a Debian 12, a tar of one, or the word "clean": then mmdebstrap makes one that
has nothing but what the package depends on. Without TREE it is the running system. Needs root
or sudo without a password, and mounts. Where there is neither, only the package's contents are looked at, and the last
line says so."""

import base64
import glob
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

UNIT = "lib/systemd/system/collect.service"
DATA = "/var/lib/collect"
STRICTEST = 50  # in tenths: systemd-analyze calls more than 5.0 "MEDIUM", and this and less "OK"


def run(*command, **options):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def expect(holds, what):
    if not holds:
        sys.exit(f"expected that {what}")
    print(f"  ok: {what}")


def make(build, release, place):
    run("cpack", "--config", f"{build}/CPackConfig.cmake", "-B", f"{place}/{release}",
        "-D", f"CPACK_DEBIAN_PACKAGE_RELEASE={release}")
    (package,) = glob.glob(f"{place}/{release}/*.deb")
    return package


def clean_tree(package, place):
    depends = run("dpkg-deb", "--field", package, "Depends")
    names = ",".join(each.split()[0] for each in depends.split(","))
    tar = f"{place}/clean.tar"
    run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={names}", "bookworm", tar)
    return tar


def look_at_contents(package, place):
    files = f"{place}/files"
    run("dpkg-deb", "--extract", package, files)
    depends = run("dpkg-deb", "--field", package, "Depends").strip()
    print(f"  {os.path.getsize(package)} bytes; {depends}")
    listing = run("dpkg-deb", "--contents", package)
    expect("root/root" in listing and not re.search(r"^[d-]\S*w\S ", listing[8:], re.M)
           and all(line.split()[1] == "root/root" for line in listing.splitlines()), "all files belong to root")
    expect(re.search(r"^-rw------- .*/etc/collect/collect\.env$", listing, re.M), "others cannot read collect.env")
    for example in ("nginx.conf", "prometheus/collect.rules.yml", "grafana/collect.json"):
        expect(os.path.isfile(f"{files}/usr/share/doc/collect/examples/{example}"), f"{example} is among the examples")
    expect(".debug_info" not in run("readelf", "--sections", f"{files}/usr/bin/collect"), "the binary is stripped")
    verdict = run("systemd-analyze", "security", "--offline=yes", f"--threshold={STRICTEST}", f"{files}/{UNIT}")
    exposure = re.search(r"Overall exposure level for collect.service: (.*)", verdict).group(1)
    expect(exposure.split()[1] in ("OK", "SAFE"), f"systemd-analyze security finds it OK or better: {exposure}")
    page = f"{files}/usr/share/man/man1/collect.1.gz"
    text = subprocess.run(["man", "--warnings", "--encoding=UTF-8", "-l", page], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=dict(os.environ, MANWIDTH="200", MAN_KEEP_FORMATTING=""))
    expect(text.returncode == 0 and not text.stderr, f"the manual page has no mistakes {text.stderr}")
    for command in ("serve --role", "system create --org TEXT", "diff previous current"):
        expect(f"collect {command.split(' --role')[0]}" in text.stdout, f"the manual page tells of {command}")
    expect("HEARTBEAT_TIMEOUT_MINUTES" in text.stdout, "the manual page tells of the settings")


class Tree:
    """A Debian to install into; commands run inside it."""

    def __init__(self, root):
        self.root = root

    def path(self, path):
        return self.root + path

    def run(self, *command, user="root"):
        return run("chroot", f"--userspec={user}", self.root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                   "DEBIAN_FRONTEND=noninteractive", *command)

    def succeeds(self, *command):
        return subprocess.run(["chroot", self.root, *command], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def remains(self):
        """What is called collect, but for dpkg's own files and logs."""
        kept = ("/proc", "/sys", "/dev", "/tmp", "/work", "/home", "/root", "/var/log", "/var/cache")
        prune = [word for path in kept for word in ("-path", path, "-o")]
        found = self.run("find", "/", "-xdev", "(", *prune[:-1], ")", "-prune", "-o", "-name", "collect*", "-print")
        ours = re.compile(r"/(etc|lib|usr/(bin|share/(doc|man/man1))|var/lib(/systemd.*)?)/collect")
        return [line for line in found.splitlines() if ours.match(line)]


class Service:
    """The unit, started as systemd would: its user, folder and environment, READY=1 awaited."""

    def __init__(self, tree):
        unit = open(tree.path(f"/{UNIT}")).read()
        setting = lambda name: re.search(rf"^{name}=(.*)$", unit, re.M).group(1)
        expect(setting("Type") == "notify", "systemd waits until it is told that the service serves")
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = tree.path("/run/collect-notify")
        if os.path.exists(address):
            os.remove(address)
        self.told.bind(address)
        os.chmod(address, 0o666)
        self.told.settimeout(60)
        self.log = open(tree.path("/tmp/collect.log"), "a+")
        self.process = subprocess.Popen(
            ["chroot", f"--userspec={setting('User')}:{setting('Group')}", tree.root, "env", "-i",
             "--chdir=" + setting("WorkingDirectory"), setting("Environment"), "NOTIFY_SOCKET=/run/collect-notify",
             *setting("ExecStart").split()], stdout=self.log, stderr=self.log)
        expect(self.hears("READY=1"), "the service says that it serves")

    def hears(self, what):
        try:
            return what in self.told.recv(4096).decode()
        except TimeoutError:
            self.log.seek(0)
            print(self.log.read())
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        expect(self.hears("STOPPING=1"), "it says that it stops")
        expect(self.process.wait(60) == 0, "it stops with exit code 0")


def post(path, login, body):
    request = urllib.request.Request(f"http://127.0.0.1:8081{path}", data=body.encode(), method="POST")
    request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    request.add_header("Content-Type", "application/json")
    return json.loads(urllib.request.urlopen(request, timeout=30).read())


def live(tree, first, second):
    print("installed:")
    for package in (first, second):
        shutil.copy(package, tree.path("/tmp"))
    inside = lambda package: "/tmp/" + os.path.basename(package)
    tree.run("dpkg", "--install", inside(first))
    expect(tree.run("stat", "-c", "%U:%G %a", "/etc/collect/collect.env").strip() == "root:collect 640",
           "root and the user collect alone can read the settings")
    expect(tree.succeeds("sh", "-c", "test -L /etc/systemd/system/multi-user.target.wants/collect.service"),
           "it starts with the machine")
    # An operator's first commands, before the service ever ran and as root: what they make has to be the service's.
    organization = json.loads(tree.run("collect", "org", "create", "--name", "First", "--json"))["id"]
    system = json.loads(tree.run("collect", "system", "create", "--org", organization, "--name", "Box", "--json"))
    tree.run("collect", "backups", "verify")
    tree.run("collect", "config", "check", user="collect")
    login = f"{system['system_key']}:{system['system_secret']}"

    print("started:")
    service = Service(tree)
    expect(post("/api/systems/inventory", login, '{"os": {"name": "One"}}')["code"] == 202, "an inventory is taken")
    expect(post("/api/systems/backups", login, "any bytes")["code"] == 201, "and a backup")
    stored = lambda: json.loads(tree.run("collect", "inventory", "history", system["system_key"], "--json"))
    until = time.monotonic() + 60
    while not stored() and time.monotonic() < until:
        time.sleep(0.1)
    expect(len(stored()) == 1, "the command line shows it, without being told where")
    # As docs/operations.md tells: a copy that is made while it serves.
    sqlite3.connect(tree.path(f"{DATA}/collect.db")).execute("VACUUM INTO ?", (tree.path("/tmp/copy.db"),))
    post("/api/systems/inventory", login, '{"os": {"name": "After the copy"}}')
    service.stop()

    print("restored:")
    for log in ("wal", "shm"):
        tree.run("rm", "-f", f"{DATA}/collect.db-{log}")
    tree.run("install", "-o", "collect", "-g", "collect", "-m", "0600", "/tmp/copy.db", f"{DATA}/collect.db")
    service = Service(tree)
    expect(len(stored()) == 1, "what was there when the copy was made is there again")
    service.stop()

    print("upgraded:")
    with open(tree.path("/etc/collect/collect.env"), "a") as settings:
        settings.write("LOG_LEVEL=warn\n")
    tree.run("dpkg", "--install", inside(second))
    expect(tree.run("dpkg-query", "-W", "-f", "${Version}", "collect").endswith("-2"), "it is the second release")
    expect("LOG_LEVEL=warn" in open(tree.path("/etc/collect/collect.env")).read(), "the operator's settings stay")
    expect(tree.run("stat", "-c", "%U:%G %a", "/etc/collect/collect.env").strip() == "root:collect 640",
           "and who may read them")
    service = Service(tree)
    expect(len(stored()) == 1, "what was stored is there")
    service.stop()

    print("removed:")
    tree.run("dpkg", "--remove", "collect")
    expect(not os.path.exists(tree.path("/usr/bin/collect")), "the binary is gone")
    expect(os.path.exists(tree.path(f"{DATA}/collect.db")) and
           os.path.exists(tree.path("/etc/collect/collect.env")), "data and settings stay")
    tree.run("dpkg", "--install", inside(second))
    expect(len(stored()) == 1, "and are there when it is installed again")

    print("purged:")
    tree.run("dpkg", "--purge", "collect")
    expect(not tree.remains(), f"nothing of it remains {tree.remains()}")
    expect(not tree.succeeds("getent", "passwd", "collect"), "nor its user")


def mount_tree(place, lower):
    """In namespaces of its own: an overlay over `lower` to install into."""
    root = f"{place}/root"
    run("mount", "-t", "tmpfs", "none", f"{place}/layer")
    for folder in ("upper", "work", "tree"):
        os.mkdir(f"{place}/layer/{folder}")
    if os.path.isfile(lower):
        run("tar", "-xf", lower, "-C", f"{place}/layer/tree", "--exclude=./dev/*")
        lower = f"{place}/layer/tree"
    run("mount", "-t", "overlay", "none", root,
        "-o", f"lowerdir={lower},upperdir={place}/layer/upper,workdir={place}/layer/work")
    run("mount", "-t", "proc", "none", f"{root}/proc")
    run("mount", "-t", "tmpfs", "none", f"{root}/run")
    run("mount", "-t", "tmpfs", "none", f"{root}/tmp")
    run("mount", "--rbind", "/dev", f"{root}/dev")
    run("ip", "link", "set", "lo", "up")
    return root


def main():
    if sys.argv[1] == "--try":
        mount_tree(sys.argv[2], "/")
        return None
    if sys.argv[1] == "--inside":
        place, lower, first, second = sys.argv[2:]
        return live(Tree(mount_tree(place, lower)), first, second)
    build = os.path.abspath(sys.argv[1])
    lower = sys.argv[2] if len(sys.argv) > 2 else "/"
    with tempfile.TemporaryDirectory(prefix="collect-package-") as place:
        print("the package:", flush=True)
        first, second = make(build, 1, place), make(build, 2, place)
        look_at_contents(first, place)
        if lower == "clean":
            lower = clean_tree(first, place)
        os.mkdir(f"{place}/layer")
        os.mkdir(f"{place}/root")
        as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
        namespaces = [*as_root, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--net"]
        itself = [*namespaces, sys.executable, os.path.abspath(__file__)]
        may = as_root == [] or shutil.which("sudo")
        if not may or subprocess.run([*itself, "--try", place]).returncode != 0:
            print("Only the contents were looked at: installing needs root, or sudo without a password, and mounts.")
            return None
        sys.stdout.flush()
        return subprocess.run([*itself, "--inside", place, lower, first, second]).returncode


sys.exit(main())
