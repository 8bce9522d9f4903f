#!/usr/bin/env python3
"""Rebuilds recordings.tsv and packages.tsv from manifests of labelled recordings. Maintainers run it; users do not.

    build_tables.py MANIFEST_DIR

MANIFEST_DIR holds manifest.tsv (recordings in Debian packages), esc10/manifest.tsv and ccsounds/manifest.tsv. The
result is a pure function of the manifests, class_map.tsv, classes.tsv and the package lists below, apart from the
package versions and checksums, which come from apt's metadata.
"""

import collections
import csv
import hashlib
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# Chosen greedily: new original recordings per megabyte, for classes that have few. 239 MB. timgm6mb-soundfont is left
# out: its samples are those of csound-soundfont.
CORE = """alsa-utils csound-soundfont gcompris-qt-data hannah-data hydrogen-data ktuberling-data lmms-common
mate-media-common minetest-data monsterz-data moon-lander-data openttd-opensfx orage-data oxygen-sounds
pocketsphinx-testdata scorched3d-data scratch simutrans-pak64 sonic-pi-samples sound-icons sound-theme-freedesktop
ufoai-sound xboard""".split()
# On top of core, for those who train: more recordings for the training split only.
LARGE = """cinnamon-common etw-data gnome-shell-pomodoro-data khangman libreoffice-common lincity-ng-data
linphone-common lugaru-data netpanzer-data openarena-data pychess searchandrescue-data tuxfootball
tuxmath-data tuxpaint-stamps-default warzone2100-data wesnoth-1.16-data wordwarvi-sound""".split()
# On top of large: packages of hundreds of megabytes that hold a few dozen recordings each of what is rare elsewhere.
ALL = """0ad-data flightgear-data-base hydrogen-drumkits hydrogen-drumkits-effects megaglest-data nexuiz-data torcs-data
unknown-horizons widelands-data""".split()
SET_OF = {name: label for label, names in (("core", CORE), ("large", LARGE), ("all", ALL)) for name in names}

CLIPS_PER_GROUP = 6  # takes of one session say little that the first six have not said
SPEECH_GROUPS = 40
MIN_SECONDS = 0.08
INSTRUMENTS = {"piano", "guitar", "violin", "winds", "xylophone"}
# Further instruments of a SoundFont that the manifest lists (General MIDI programs): bright and honky-tonk pianos,
# glockenspiel and vibraphone.
EXTRA_RENDERS = tuple(("csound-soundfont", "usr/share/sounds/sf2/sf_GMbank.sf2", program, source)
                      for program, source in ((1, "piano"), (3, "piano"), (9, "xylophone_marimba"),
                                              (11, "xylophone_marimba")))
EXTRA_NOTES = ("79-77-81-76-72", "72-76-79-84", "67-72-74-71")
CARTOONS = {"laughter"}  # stylised sounds are left out, but for classes that would be too small
UNCLEAR_LICENCES = {"", "unknown", "see debian/copyright"}
WEIGHT = {"field": 1.0, "speech": 1.0, "event": 0.5, "ambience": 0.5, "rendered": 0.35, "cartoon": 0.35}
COLUMNS = ("class", "source_class", "origin", "set", "path", "licence", "group", "kind", "split", "weight",
           "highpass_hz", "seconds", "author", "title")


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def stable_order(key):
    """A number in [0, 2^64) that depends on nothing but the key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")


def package_rows(manifest, class_of):
    for row in read_table(manifest / "manifest.tsv"):
        kind = row["kind"].split(":")[0]
        clazz = class_of.get(row["class"])
        if clazz is None or row["package"] not in SET_OF or row["licence"] in UNCLEAR_LICENCES:
            continue
        if kind == "cartoon" and clazz not in CARTOONS or kind == "rendered" and clazz not in INSTRUMENTS:
            continue
        if row["path"].endswith(".g722"):  # libsndfile cannot read it
            continue
        yield {"class": clazz, "source_class": row["class"], "origin": row["package"],
               "set": SET_OF[row["package"]], "path": row["path"], "licence": row["licence"],
               "group": row["group"], "kind": kind, "highpass_hz": "0", "seconds": row["seconds"],
               "author": "see debian/copyright of " + row["package"], "title": ""}
    for package, font, program, source in EXTRA_RENDERS:
        for notes in EXTRA_NOTES:
            yield {"class": class_of[source], "source_class": source, "origin": package, "set": "core",
                   "path": f"{font}#prog={program}&notes={notes}", "licence": "LGPL-2.1+",
                   "group": f"sf-csound-{program}", "kind": "rendered", "highpass_hz": "0", "seconds": "3.0",
                   "author": "see debian/copyright of " + package, "title": ""}


def folder_rows(manifest, name, class_of):
    for row in read_table(manifest / name / "manifest.tsv"):
        if row["class"] not in class_of:
            continue
        yield {"class": class_of[row["class"]], "source_class": row["class"], "origin": name, "set": "core",
               "path": row["path"], "licence": row["licence"], "group": row["group"], "kind": "field",
               # The Yellowstone recordings carry low rumble.
               "highpass_hz": "100" if row["group"].startswith("nps-") else "0", "seconds": row["seconds"],
               "author": row["author"], "title": row.get("title") or row.get("title_or_source", "")}


def merge_groups(rows):
    """Gives groups that hold the same recording one name: pairs of same_source.tsv, joined transitively."""
    parent = {}

    def root(group):
        while group in parent:
            group = parent[group]
        return group

    for row in read_table(HERE / "same_source.tsv"):
        first, second = sorted((root(row["group"]), root(row["same_as"])))
        if first != second:
            parent[second] = first
    for row in rows:
        row["group"] = root(row["group"])


def thin(rows):
    """At most CLIPS_PER_GROUP clips per class and group, SPEECH_GROUPS groups of speech; nothing too short."""
    by_group = collections.defaultdict(list)
    for row in rows:
        if float(row["seconds"]) >= MIN_SECONDS:
            by_group[row["class"], row["group"]].append(row)
    speech = sorted({g for c, g in by_group if c == "speech"},
                    key=lambda g: (by_group["speech", g][0]["set"] != "core", stable_order(g)))[:SPEECH_GROUPS]
    kept = []
    for (clazz, group), members in by_group.items():
        if clazz == "speech" and group not in speech:
            continue
        members.sort(key=lambda row: stable_order(row["origin"] + "/" + row["path"]))
        kept += members[:CLIPS_PER_GROUP]
    return kept


def assign_splits(rows, before):
    """group -> split, about 70/10/20 of each class's core groups, never fewer than two groups for test.

    Validation and test hold recordings of the core set only: scores then mean the same with and without the other sets.
    `before`: the splits of the table as it was. A group stays where it was, or a model that goes on from an earlier one
    would be tested on what that one learned.
    """
    groups = collections.defaultdict(set)  # class -> core groups
    for row in rows:
        if row["set"] == "core":
            groups[row["class"]].add(row["group"])
    large_only = {row["group"] for row in rows if row["set"] != "core"}
    split = {group: "train" for group in large_only}  # takes of one session on both sides stay together, in training
    split.update(before)
    for clazz in sorted(groups, key=lambda c: (len(groups[c]), c)):
        ordered = sorted(groups[clazz], key=stable_order)
        want = {"test": max(2, round(0.2 * len(ordered))), "validation": max(1, round(0.1 * len(ordered)))}
        for name in ("test", "validation"):
            missing = want[name] - sum(split.get(g) == name for g in ordered)
            for group in [g for g in ordered if g not in split][:max(0, missing)]:
                split[group] = name
        for group in ordered:
            split.setdefault(group, "train")
    return split


def package_table():
    wanted = {}
    for name in sorted(SET_OF):
        shown = subprocess.run(["apt-cache", "show", "--no-all-versions", name], check=True, capture_output=True,
                               text=True).stdout
        fields = dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line and not line.startswith(" "))
        wanted[name] = {"package": name, "version": fields["Version"], "set": SET_OF[name],
                        "bytes": fields["Size"], "sha256": fields["SHA256"]}
    return list(wanted.values())


def write_table(path, columns, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write("\t".join(columns) + "\n")
        for row in rows:
            file.write("\t".join(str(row[column]).replace("\t", " ") for column in columns) + "\n")


def main():
    manifest = pathlib.Path(sys.argv[1])
    class_of = {row["source_class"]: row["class"] for row in read_table(HERE / "class_map.tsv")}
    known = [row["name"] for row in read_table(HERE / "classes.tsv")]
    assert set(class_of.values()) == set(known), set(class_of.values()) ^ set(known)
    rows = list(package_rows(manifest, class_of))
    for name in ("esc10", "ccsounds"):
        rows += folder_rows(manifest, name, class_of)
    merge_groups(rows)
    rows = thin(rows)
    split = assign_splits(rows, {row["group"]: row["split"] for row in read_table(HERE / "recordings.tsv")})
    for row in rows:
        row["split"] = split[row["group"]]
        row["weight"] = WEIGHT[row["kind"]]
    rows.sort(key=lambda row: (known.index(row["class"]), row["group"], row["origin"], row["path"]))
    write_table(HERE / "recordings.tsv", COLUMNS, rows)
    write_table(HERE / "packages.tsv", ("package", "version", "set", "bytes", "sha256"), package_table())


if __name__ == "__main__":
    main()
