"""Recordings from public git repositories, at the commits that repositories.tsv pins.

repository_files.tsv says which file of which repository is which recording, and where it is an excerpt of a longer
file. Only the wanted files travel, where the server can do that (partial clone); a commit's hash vouches for their
content.
"""

import csv
import os
import pathlib
import subprocess
import tempfile


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def published_files(tables):
    """(origin, path) of a recording -> its row of repository_files.tsv in the folder `tables`."""
    return {(row["origin"], row["path"]): row for row in read_table(tables / "repository_files.tsv")}


class RepositoryError(Exception):
    """A repository could not be fetched; the text says why."""


def run_git(folder, *arguments, stdin=None, timeout=900):
    environment = dict(os.environ, GIT_TERMINAL_PROMPT="0", GIT_LITERAL_PATHSPECS="1", LC_ALL="C")
    try:
        done = subprocess.run(["git", "-c", "advice.detachedHead=false", "-c", "http.lowSpeedLimit=1000", "-c",
                               "http.lowSpeedTime=30", *arguments], cwd=folder, env=environment, input=stdin,
                              capture_output=True, timeout=timeout)
    except FileNotFoundError as error:
        raise RepositoryError("needs the program git (apt-get install git)") from error
    except subprocess.TimeoutExpired as error:
        raise RepositoryError(f"git gave up after {timeout} s") from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise RepositoryError(f"git: {lines[-1]}")
    return done.stdout


def check_out(repository, files, folder):
    """Puts `files` of the repository's pinned commit under `folder`, an empty folder."""
    run_git(folder, "init", "-q")
    run_git(folder, "remote", "add", "origin", repository["url"])
    run_git(folder, "fetch", "-q", "--depth", "1", "--filter=blob:none", "origin", repository["commit"])
    run_git(folder, "checkout", "-q", repository["commit"], "--pathspec-from-file=-", "--pathspec-file-nul",
            stdin="\0".join(files).encode())


def fetch_repository(repository, recordings, folder, store):
    """Fetches the (row, published file) pairs `recordings`; `store(row, published, data)` keeps each.

    Returns complaints.
    """
    name = repository["repository"]
    with tempfile.TemporaryDirectory(prefix=".work-", dir=folder) as work:
        work = pathlib.Path(work)
        try:
            check_out(repository, sorted({published["file"] for _, published in recordings}), work)
        except RepositoryError as error:
            return [f"{len(recordings)} recordings of {repository['url']}: {error}"]
        complaints = []
        for row, published in recordings:
            path = work / published["file"]
            if not path.is_file() or path.stat().st_size == 0:
                complaints.append(f"{name}: {published['file']} is not in commit {repository['commit']}")
                continue
            store(row, published, path.read_bytes())
    return complaints
