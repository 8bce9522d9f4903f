#!/usr/bin/env python3
"""Fetches the recordings that scenes are made of: `./run sounds`.

The recordings lie in Debian packages (fetched with apt, unpacked, not installed) and in public repositories (ESC-10 and
ten more). recordings.tsv says which files are wanted, packages.tsv and repositories.tsv where they come from. The
result is a folder outside the source tree:

    DIR/bank.tsv     one line a recording: class, group, split, kind, weight, licence, author, title, ... and its path
    DIR/audio/...    the files, as they were published
    DIR/stamps/...   what is done: running again skips it, after checking that every file is still there

It is safe to interrupt and to repeat. What cannot be got is said at the end; the exit code is 0 while anything useful
was got, 1 otherwise.
"""

import argparse
import csv
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import sound_archives
import sound_repositories

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = ("esc10", "ccsounds")
SETS = ("core", "large", "all")  # each holds those before it
BANK_COLUMNS = ("class", "group", "split", "kind", "weight", "licence", "seconds", "highpass_hz", "start_seconds",
                "end_seconds", "origin", "path", "author", "title")


class FetchError(Exception):
    """One origin could not be fetched; the text says why and what helps."""


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def default_folder():
    cache = os.environ.get("AURICLE_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "auricle")
    return pathlib.Path(cache) / "sounds"


def stored_name(row, published=None):
    """Where a recording lies under DIR: the class, what it was called, and a hash that keeps equal names apart.

    `published`: the row of repository_files.tsv when the file comes from a repository. It may then be of another
    format, and longer, than the same recording of a --from folder.
    """
    path = row["path"]
    suffix = ".wav" if row["kind"] == "rendered" else pathlib.PurePosixPath(path).suffix.lower()
    if published is not None and is_another_file(row, published):
        suffix = ".published" + pathlib.PurePosixPath(published["file"]).suffix.lower()
    stem = pathlib.PurePosixPath(path.partition("#")[0]).stem
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem)[:40]
    digest = hashlib.sha256(f"{row['origin']}/{path}".encode()).hexdigest()[:8]
    return f"audio/{row['class']}/{row['origin']}-{stem}-{digest}{suffix}"


def is_another_file(row, published):
    formats = [pathlib.PurePosixPath(name).suffix.lower() for name in (published["file"], row["path"])]
    return float(published["end_seconds"]) > 0 or formats[0] != formats[1]


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


class Progress:
    """One line that tells how far the download is: on a terminal it is redrawn, elsewhere one line per origin."""

    def __init__(self, total_bytes, out=None, clock=time.monotonic):
        self.total, self.done, self.out, self.clock = max(1, total_bytes), 0, out or sys.stderr, clock
        self.start = clock()
        self.live = self.out.isatty()

    def show(self, name, current=0, end=False):
        done = min(self.total, self.done + current)
        elapsed = max(1e-3, self.clock() - self.start)
        rate = done / elapsed
        left = (self.total - done) / rate if rate > 0 else 0
        bar = "#" * int(24 * done / self.total)
        line = (f"[{bar:<24}] {done / 1e6:6.1f}/{self.total / 1e6:.1f} MB  {rate / 1e6:5.1f} MB/s  "
                f"ETA {int(left) // 60}:{int(left) % 60:02d}  {name}")
        if self.live:
            self.out.write("\r\x1b[K" + line + ("\n" if end else ""))
        elif end:
            self.out.write(line + "\n")
        self.out.flush()

    def finish(self, name, size):
        self.done += size
        self.show(name, end=not self.live or self.done >= self.total)


def is_done(folder, name, key):
    """True when the stamp of `name` carries `key` and every file it lists is there with its size."""
    try:
        stamp = json.loads((folder / "stamps" / f"{name}.json").read_text())
        return stamp["key"] == key and all((folder / path).stat().st_size == size
                                           for path, size in stamp["files"].items())
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False


def write_stamp(folder, name, key, files):
    """`files`: paths under `folder`."""
    (folder / "stamps").mkdir(parents=True, exist_ok=True)
    stamp = {"key": key, "files": {path: (folder / path).stat().st_size for path in sorted(files)}}
    write_whole(folder / "stamps" / f"{name}.json", json.dumps(stamp, indent=0).encode())


def write_whole(path, data):
    """Writes a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def rows_key(rows, extra):
    """Changes when the list of wanted files, or where they come from, changes."""
    text = "\n".join(sorted(f"{row['path']}\t{row['class']}" for row in rows)) + "\n" + extra
    return hashlib.sha256(text.encode()).hexdigest()


# --- Debian packages ---

def find_local_package(package, places):
    for place in places:
        for path in sorted(pathlib.Path(place).glob(f"{package['package']}_*.deb")) if place else []:
            if path.stat().st_size == int(package["bytes"]) and sha256_of(path) == package["sha256"]:
                return path
    return None


def download_package(package, folder, progress):
    """apt-get download into `folder`; returns the .deb. apt itself checks what it fetched against the signed index."""
    name = package["package"]
    for wanted in (f"{name}={package['version']}", name):
        process = subprocess.Popen(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", wanted], cwd=folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while True:
            try:
                process.wait(timeout=0.25)
                break
            except subprocess.TimeoutExpired:
                progress.show(name, sum(path.stat().st_size for path in pathlib.Path(folder).iterdir()))
        errors = process.stderr.read().strip()
        found = sorted(pathlib.Path(folder).glob("*.deb"))
        if process.returncode == 0 and found:
            break
    else:
        raise FetchError(f"apt-get download failed: {errors.splitlines()[-1] if errors else 'no reason given'}. "
                         "Is there a network, and has `apt-get update` run?")
    deb = found[0]
    if wanted != name and sha256_of(deb) != package["sha256"]:
        raise FetchError(f"{deb.name} has another checksum than packages.tsv records")
    if wanted == name:
        print(f"\n{name}: version {package['version']} is gone from the archive; took {deb.name}, checked by apt",
              file=sys.stderr)
    return deb


def store_rows(rows, root, folder):
    """Takes each row's file from the unpacked tree `root` into `folder`; returns (stored paths, complaints)."""
    stored, complaints = [], []
    for row in rows:
        target = folder / stored_name(row)
        try:
            if row["kind"] == "rendered":
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_name(f"{target.name}.{os.getpid()}.part")
                sound_archives.render_notes(root / row["path"], temporary)
                os.replace(temporary, target)
            else:
                data = sound_archives.read_member(root / row["path"])
                if not data:
                    raise sound_archives.ArchiveError(f"{row['path']}: empty file")
                write_whole(target, data)
        except sound_archives.ArchiveError as error:
            complaints.append(str(error).replace(f"{root}/", ""))
            continue
        stored.append(stored_name(row))
    return stored, complaints


def fetch_package(package, rows, folder, places, progress):
    """Fetches, unpacks and stores one package. Returns complaints."""
    name = package["package"]
    key = rows_key(rows, package["sha256"])
    if is_done(folder, name, key):
        progress.finish(f"{name}: already here", int(package["bytes"]))
        return []
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".work-", dir=folder) as work:
        work = pathlib.Path(work)
        (work / "deb").mkdir()
        deb = find_local_package(package, places) or download_package(package, work / "deb", progress)
        if subprocess.run(["dpkg-deb", "-x", str(deb), str(work / "tree")], capture_output=True).returncode != 0:
            raise FetchError(f"{deb.name} cannot be unpacked by dpkg-deb")
        stored, complaints = store_rows(rows, work / "tree", folder)
    if not complaints:
        write_stamp(folder, name, key, stored)
    progress.finish(name, int(package["bytes"]))
    return complaints


# --- folders of recordings: ESC-10 and the free-licence collection ---

def fetch_folder(name, rows, folder, source):
    """Copies the rows' files from `source`/`name` (a folder with the published layout). Returns complaints."""
    key = rows_key(rows, "")
    if is_done(folder, name, key):
        return []
    stored, complaints = store_rows(rows, source / name, folder)
    if not complaints:
        write_stamp(folder, name, key, stored)
    return complaints


def fetch_repositories(rows, folder):
    """Fetches what is still missing of `rows` from the public repositories. Returns {repository: complaints}."""
    published = sound_repositories.published_files(HERE)
    missing = {}
    for repository in read_table(HERE / "repositories.tsv"):
        name = repository["repository"]
        mine = [(row, published[row["origin"], row["path"]]) for row in rows
                if published[row["origin"], row["path"]]["repository"] == name]
        stamp, key = "repository-" + name.replace("/", "-"), rows_key([row for row, _ in mine], repository["commit"])
        if not mine or is_done(folder, stamp, key):
            continue
        print(f"{repository['url']} at {repository['commit'][:12]}: {len(mine)} recordings", file=sys.stderr)
        missing[name] = sound_repositories.fetch_repository(
            repository, mine, folder, lambda row, file, data: write_whole(folder / stored_name(row, file), data))
        if not missing[name]:
            write_stamp(folder, stamp, key, [stored_name(row, file) for row, file in mine])
    return missing


# --- the whole ---

def write_bank(rows, folder):
    """bank.tsv lists what is there. Returns its rows."""
    published = sound_repositories.published_files(HERE)
    present = []
    for row in rows:
        values = dict(row, path=stored_name(row), start_seconds="0", end_seconds="0")
        file = published.get((row["origin"], row["path"]))
        if not (folder / values["path"]).is_file() and file is not None:
            values.update(path=stored_name(row, file), start_seconds=file["start_seconds"],
                          end_seconds=file["end_seconds"])
        if (folder / values["path"]).is_file():
            present.append(values)
    lines = ["\t".join(BANK_COLUMNS)] + ["\t".join(row[column] for column in BANK_COLUMNS) for row in present]
    write_whole(folder / "bank.tsv", ("\n".join(lines) + "\n").encode())
    return present


def remove_strangers(folder, rows):
    """Removes files under DIR/audio that belong to no recording of the whole table (of any set)."""
    published = sound_repositories.published_files(HERE)
    wanted = {stored_name(row) for row in rows}
    wanted |= {stored_name(row, published.get((row["origin"], row["path"]))) for row in rows}
    for path in (folder / "audio").rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for path in (folder / "audio").glob("*"):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def summary(rows):
    """Text: recordings and original recordings by class and split."""
    lines = [f"{'class':<12}{'clips':>6}   original recordings: train, validation, test"]
    classes = list(dict.fromkeys(row["class"] for row in rows))
    for name in classes:
        mine = [row for row in rows if row["class"] == name]
        groups = {split: len({row["group"] for row in mine if row["split"] == split})
                  for split in ("train", "validation", "test")}
        lines.append(f"{name:<12}{len(mine):>6}   {groups['train']:>4} {groups['validation']:>4} {groups['test']:>4}")
    originals = len({row["group"] for row in rows})
    lines.append(f"{len(classes)} classes, {len(rows)} clips, {originals} original recordings")
    return "\n".join(lines)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="run sounds", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="core",
                        help="core: 239 MB of packages (default); large: 962 MB, all: 5.4 GB, more recordings for "
                             "training")
    parser.add_argument("--dir", type=pathlib.Path, default=default_folder(), help="where to (default: %(default)s)")
    parser.add_argument("--from", dest="source", type=pathlib.Path, metavar="DIR",
                        help="a folder with esc10/ and ccsounds/ (and debs/, if you have the packages): nothing that "
                             "is there is fetched from the network")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_arguments(arguments)
    if options.source is not None and not options.source.is_dir():
        print(f"--from: {options.source} is not a folder", file=sys.stderr)
        return 2
    every_row = read_table(HERE / "recordings.tsv")
    sets = SETS[:SETS.index(options.set) + 1]
    rows = [row for row in every_row if row["set"] in sets]
    packages = [row for row in read_table(HERE / "packages.tsv") if row["set"] in sets]
    folder = options.dir
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".work-*"):  # of a run that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    print(f"Recordings go to {folder}", file=sys.stderr)

    missing = {}  # origin -> complaints
    elsewhere = []
    for name in FOLDERS:
        mine = [row for row in rows if row["origin"] == name]
        if options.source is not None and (options.source / name).is_dir():
            missing[name] = fetch_folder(name, mine, folder, options.source)
        elif not is_done(folder, name, rows_key(mine, "")):
            elsewhere += mine
    missing.update(fetch_repositories(elsewhere, folder))
    progress = Progress(sum(int(package["bytes"]) for package in packages))
    places = [options.source / "debs" if options.source else None, "/var/cache/apt/archives"]
    for package in sorted(packages, key=lambda row: int(row["bytes"])):
        name = package["package"]
        try:
            missing[name] = fetch_package(package, [row for row in rows if row["origin"] == name], folder, places,
                                          progress)
        except FetchError as error:
            missing[name] = [str(error)]
            progress.finish(f"{name}: failed", int(package["bytes"]))

    remove_strangers(folder, every_row)
    present = write_bank(rows, folder)
    print(summary(present))
    complaints = {name: texts for name, texts in missing.items() if texts}
    if complaints:
        print(f"\nMissing: {len(rows) - len(present)} of {len(rows)} recordings.", file=sys.stderr)
        for name, texts in complaints.items():
            more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
            print(f"  {name}: {texts[0]}{more}", file=sys.stderr)
        print("Run the command again to get the rest; --from DIR takes folders that you already have.", file=sys.stderr)
    return 0 if present else 1


if __name__ == "__main__":
    sys.exit(main())
