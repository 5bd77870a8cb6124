# SPDX-License-Identifier: Apache-2.0
#
# Memory of Weir: idle inspected TLS connections, and bodies of 1 GiB through TLS in both directions.
#
#   bodies.py WORK ROWS PARTS COMMAND...      PARTS holds `idle`, `large` or both; COMMAND starts Weir

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

work, rows, parts = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3].split()
command = sys.argv[4:]
address = command[command.index("--listen") + 1]
started = []
GIB = 1 << 30


def start(*argv, cpu="0"):
    process = subprocess.Popen(["taskset", "-c", cpu, *map(str, argv)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    started.append(process)
    return process


def stop(process):
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    started.remove(process)


def wait_for(place):
    host, port = place.rsplit(":", 1)
    for _ in range(150):
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"bodies: nothing listens on {place}")


def kibibytes(process, file, name):
    """One size out of the kernel's files about a process."""
    found = re.search(rf"^{name}:\s+(\d+) kB", pathlib.Path(f"/proc/{process.pid}/{file}").read_text(), re.MULTILINE)
    return int(found[1])


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(**row):
    line = json.dumps({"peer": "weir", **row})
    print(line, flush=True)
    with open(rows, "a") as file:
        file.write(line + "\n")


def curl(*arguments):
    return subprocess.run(
        ["taskset", "-c", "0", "curl", "-sS", "-x", address, "--cacert", work / "ca/ca.pem", *arguments],
        capture_output=True, text=True)


def idle(path, connections=1000):
    """Opens connections that each carry one request and then rest; reads the proportional set size."""
    weir = start(*command, cpu="1")
    wait_for(address)
    curl("https://localhost:20443/1k.txt")
    before = kibibytes(weir, "smaps_rollup", "Pss")
    holder = subprocess.Popen(
        ["taskset", "-c", "0", work / "wtool", "hold", "to=" + address, "scheme=https", "mode=abs",
         "host=localhost:20443", "path=" + path, f"conns={connections}", "secs=60", "fly=16", f"ca={work}/ca/ca.pem"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    held = json.loads(holder.stdout.readline())
    time.sleep(1)
    after = kibibytes(weir, "smaps_rollup", "Pss")
    time.sleep(10)
    later = kibibytes(weir, "smaps_rollup", "Pss")
    holder.communicate("q")
    time.sleep(2)
    say(case="behaviour", what="idle" + path, held=held["held"], errors=held["errors"], error=held["last_error"],
        open_s=held["open_s"], kib_per_connection=round((after - before) / max(held["held"], 1), 1),
        kib_per_connection_10s_later=round((later - before) / max(held["held"], 1), 1), pss_before_mib=before // 1024,
        pss_after_closing_mib=kibibytes(weir, "smaps_rollup", "Pss") // 1024)
    stop(weir)
    return held["held"] == connections


def large():
    """Carries 1 GiB down and up; the upload's origin counts the card numbers that reach it."""
    weir = start(*command, cpu="1")
    wait_for(address)
    name = work / "www/1g.txt"
    if not name.exists() or name.stat().st_size != GIB:
        piece = (work / "www/1m.txt").read_bytes()
        with open(name, "wb") as file:
            for _ in range(GIB // len(piece)):
                file.write(piece)
    is_fine = True
    for what, arguments in {
        "download-1g": ["https://localhost:20443/1g.txt", "-o", "/dev/null"],
        "upload-1g": ["-X", "POST", "-T", name, "-H", "Content-Type: text/plain", "https://localhost:20493/sinkc"],
    }.items():
        before, cpu, begin = kibibytes(weir, "status", "VmHWM"), cpu_seconds(weir), time.time()
        done = curl(*arguments, "-w", "%{stderr}%{http_code} %{size_download} %{size_upload}")
        is_fine = is_fine and done.returncode == 0 and done.stderr.startswith("200 ")
        say(case="behaviour", what=what, curl=done.returncode, status_and_sizes=done.stderr[-200:],
            origin=done.stdout[:200].strip(), seconds=round(time.time() - begin, 1),
            cpu_s_per_gb=round((cpu_seconds(weir) - cpu) / (GIB / 1e9), 2), peak_rss_before_mib=before // 1024,
            peak_rss_mib=kibibytes(weir, "status", "VmHWM") // 1024)
    stop(weir)
    return is_fine


is_fine = True
try:
    start("nginx", "-c", work / "nginx/origin.conf")
    start(work / "wtool", "sink", "127.0.0.1", "20493", work / "ca/origin.pem", work / "ca/origin.key")
    for port in (20443, 20493):
        wait_for(f"127.0.0.1:{port}")
    if "idle" in parts:
        is_fine = idle("/1k.txt") and is_fine
        is_fine = idle("/64k.txt") and is_fine
    if "large" in parts:
        is_fine = large() and is_fine
finally:
    for process in list(started):
        stop(process)
sys.exit(0 if is_fine else 1)
