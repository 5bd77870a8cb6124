#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings the signed macOS files that expected.json describes: `fetch.sh FOLDER`.
#
# They are downloaded from PyPI with pip, checked by SHA-256, and unpacked into FOLDER/<name>-<version>-<platform>/; an
# inner X.tar or X.zip is unpacked beside itself as X.tar.d or X.zip.d. Quick when everything is there.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:?'fetch: name the folder that the files shall go to: `fetch.sh FOLDER`'}
digest=$(sha256sum "$here/expected.json" | cut -d ' ' -f 1)
if [ "$(cat "$out/complete" 2>/dev/null)" = "$digest" ]; then
    echo "fetch: the signed files are there"
    exit 0
fi
mkdir -p "$out"
python3 - "$here/expected.json" "$out" <<'PY'
import hashlib, json, os, shutil, subprocess, sys, tarfile, zipfile

expected, out = sys.argv[1:]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def unpack_inner(folder):
    """Unpacks the archives inside an unpacked wheel."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if name.endswith(".zip") and zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    archive.extractall(path + ".d")
                unpack_inner(path + ".d")
            elif name.endswith(".tar") and tarfile.is_tarfile(path):
                with tarfile.open(path) as archive:
                    archive.extractall(path + ".d", **({"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}))
                unpack_inner(path + ".d")


with open(expected) as file:
    wheels = json.load(file)["wheels"]
wrong = []
for wheel in wheels:
    name = f"{wheel['requirement'].replace('==', '-')}-{wheel['platform']}"
    cache = os.path.join(out, "wheels", wheel["platform"])
    archive, folder = os.path.join(cache, wheel["wheel"]), os.path.join(out, name)
    if not os.path.exists(archive) or digest(archive) != wheel["wheel_sha256"]:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--only-binary=:all:", "--platform", wheel["platform"], "--python-version", "3.12", "--dest", cache,
             wheel["requirement"]], check=True)
    if not os.path.exists(archive) or digest(archive) != wheel["wheel_sha256"]:
        wrong.append(f"{archive} is another wheel than the one expected")
        continue
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(archive) as wheel_archive:
        wheel_archive.extractall(folder)
    unpack_inner(folder)
    for file in wheel["files"]:
        path = os.path.join(folder, file["path"])
        if not os.path.exists(path) or digest(path) != file["sha256"]:
            wrong.append(f"{path} is missing or another file than the one expected")
    print(f"fetch: {name}, {len(wheel['files'])} files", flush=True)
if wrong:
    sys.exit("fetch: " + "\nfetch: ".join(wrong))
PY
echo "$digest" > "$out/complete"
