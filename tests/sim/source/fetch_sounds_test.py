"""Tests of sim/source/fetch_sounds.py: archives built by hand, packages built on the spot, no network."""

import csv
import hashlib
import io
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import zipfile
import zlib

SOURCE = pathlib.Path(__file__).resolve().parents[3] / "sim" / "source"
sys.path.insert(0, str(SOURCE))

import fetch_sounds  # noqa: E402
import sound_archives  # noqa: E402
import sound_repositories  # noqa: E402


def wav(samples=b"\x01\x00" * 100):
    """A mono 16-bit WAV file of 8 kHz."""
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    data = b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", 4 + len(fmt) + len(data)) + b"WAVE" + fmt + data


def qt_resource(version, files):
    """A Qt resource bundle with `files` ({"name": (bytes, compressed)}) in one folder, "sounds"."""
    names, data, offsets = b"", b"", {}
    for name in ["sounds"] + sorted(files):
        offsets[name] = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    stamp = b"" if version == 1 else struct.pack(">Q", 0)
    nodes = struct.pack(">IHII", 0, 2, 1, 1) + stamp
    nodes += struct.pack(">IHII", offsets["sounds"], 2, len(files), 2) + stamp
    for name in sorted(files):
        body, compressed = files[name]
        if compressed:
            body = struct.pack(">I", len(body)) + zlib.compress(body)
        nodes += struct.pack(">IHHHI", offsets[name], 1 if compressed else 0, 0, 0, len(data)) + stamp
        data += struct.pack(">I", len(body)) + body
    head = 20 if version < 3 else 24
    header = b"qres" + struct.pack(">IIII", version, head, head + len(nodes) + len(names), head + len(nodes))
    return header + (b"" if version < 3 else struct.pack(">I", 0)) + nodes + names + data


def openttd_cat(sounds):
    index, body = b"", b""
    for name, data in sounds:
        record = bytes([len(name) + 1]) + name.encode() + b"\0" + data + b"\x05file\0"
        index += struct.pack("<II", (8 * len(sounds) + len(body)) | 0x80000000 * (not index), len(record))
        body += record
    return index + body


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def put(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


class ReadsMembersOfArchives(Folder):
    def test_a_plain_file(self):
        self.assertEqual(sound_archives.read_member(self.put("a.wav", wav())), wav())

    def test_a_zip_under_another_name(self):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("sound/dog.wav", wav())
        path = self.put("0snd.pk3", buffer.getvalue())
        self.assertEqual(sound_archives.read_member(f"{path}!/sound/dog.wav"), wav())
        with self.assertRaisesRegex(sound_archives.ArchiveError, "no member"):
            sound_archives.read_member(f"{path}!/sound/cat.wav")

    def test_a_qt_resource_of_every_version(self):
        files = {"a.wav": (wav(), False), "b.wav": (wav(b"\x07\x00" * 900), True)}
        for version in (1, 2, 3):
            path = self.put(f"v{version}.rcc", qt_resource(version, files))
            for name, (data, _) in files.items():
                self.assertEqual(sound_archives.read_member(f"{path}!/sounds/{name}"), data)
            for wrong in ("sounds", "sounds/c.wav", "a.wav", "sounds/a.wav/x"):
                with self.assertRaises(sound_archives.ArchiveError):
                    sound_archives.read_member(f"{path}!/{wrong}")

    def test_an_openttd_cat_by_number(self):
        path = self.put("opensfx.cat", openttd_cat([("first", wav()), ("second", wav(b"\x02\x00" * 50))]))
        self.assertEqual(sound_archives.read_member(f"{path}!/0.wav"), wav())
        self.assertEqual(sound_archives.read_member(f"{path}!/1.wav"), wav(b"\x02\x00" * 50))
        for wrong in ("2.wav", "-1.wav", "first.wav"):
            with self.assertRaises(sound_archives.ArchiveError):
                sound_archives.read_member(f"{path}!/{wrong}")

    def test_damaged_archives_raise_archive_error_and_nothing_else(self):
        whole = {"a.rcc": qt_resource(3, {"a.wav": (wav(), True)}), "a.cat": openttd_cat([("x", wav())])}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("sounds/a.wav", wav())
        whole["a.pk3"] = buffer.getvalue()
        members = {"a.rcc": "sounds/a.wav", "a.cat": "0.wav", "a.pk3": "sounds/a.wav"}
        for name, data in whole.items():
            for length in range(0, len(data), 7):
                path = self.put(name, data[:length])
                try:
                    sound_archives.read_member(f"{path}!/{members[name]}")
                except sound_archives.ArchiveError:
                    pass
        with self.assertRaisesRegex(sound_archives.ArchiveError, "no such file"):
            sound_archives.read_member(self.folder / "nothing.wav")


class RendersNotes(Folder):
    def test_the_midi_file_holds_the_program_and_each_note_on_and_off(self):
        midi = sound_archives.notes_to_midi(19, [60, 64, 67])
        self.assertEqual(midi[:14], b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480))
        self.assertEqual(midi[14:18], b"MTrk")
        self.assertEqual(struct.unpack(">I", midi[18:22])[0], len(midi) - 22)
        track = midi[22:]
        self.assertEqual(track[:3], bytes([0, 0xC0, 19]))
        # 576 ticks (0.6 s) as a variable-length quantity: 0x84 0x40.
        for note in (60, 64, 67):
            self.assertIn(bytes([0, 0x90, note, 96, 0x84, 0x40, 0x80, note, 64]), track)
        self.assertTrue(track.endswith(b"\xff\x2f\x00"))

    def test_the_path_syntax(self):
        self.assertEqual(sound_archives.parse_render("a/b.sf2#prog=19&notes=55-57"), ("a/b.sf2", 19, [55, 57]))
        for wrong in ("b.sf2", "b.sf2#prog=x&notes=1", "b.sf2#prog=200&notes=1", "b.sf2#prog=1&notes=128"):
            with self.assertRaises(sound_archives.ArchiveError):
                sound_archives.parse_render(wrong)

    def test_a_missing_font_is_said(self):
        with self.assertRaisesRegex(sound_archives.ArchiveError, "no such file"):
            sound_archives.render_notes(self.folder / "no.sf2#prog=1&notes=60", self.folder / "out.wav")


def row(clazz, origin, path, group="g", split="train", kind="event", which="core"):
    return {"class": clazz, "source_class": clazz, "origin": origin, "set": which, "path": path, "licence": "CC0",
            "group": group, "kind": kind, "split": split, "weight": "1.0", "highpass_hz": "0", "seconds": "1.0",
            "author": "Ann", "title": "A sound"}


class Fetches(Folder):
    """A whole run over tables of its own, with a package built here and a local folder."""

    def setUp(self):
        super().setUp()
        if shutil.which("dpkg-deb") is None:
            self.skipTest("no dpkg-deb")
        self.tables = self.folder / "tables"
        self.tables.mkdir()
        self.source = self.folder / "from"
        self.bank = self.folder / "bank"
        self.rows = [row("dog", "barks", "usr/share/barks/dog.wav", "g1"),
                     row("dog", "barks", "usr/share/barks/all.pk3!/dog2.wav", "g2", "test"),
                     row("rain", "esc10", "rain/1.ogg", "fs1", "train", "field"),
                     row("rain", "ccsounds", "rain/cc-2.flac", "fs2", "test", "field")]
        self.put("from/esc10/rain/1.ogg", b"OggS rain")
        self.put("from/ccsounds/rain/cc-2.flac", b"fLaC rain")
        self.build_package()
        self.write_tables()
        patch = unittest.mock.patch.object(fetch_sounds, "HERE", self.tables)
        patch.start()
        self.addCleanup(patch.stop)

    def build_package(self):
        tree = self.folder / "tree"
        self.put("tree/DEBIAN/control", b"Package: barks\nVersion: 1.0\nArchitecture: all\n"
                                        b"Maintainer: A <a@b.example>\nDescription: barks\n")
        self.put("tree/usr/share/barks/dog.wav", wav())
        with zipfile.ZipFile(tree / "usr/share/barks/all.pk3", "w") as archive:
            archive.writestr("dog2.wav", wav(b"\x03\x00" * 40))
        debs = self.source / "debs"
        debs.mkdir(parents=True)
        self.deb = debs / "barks_1.0_all.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(tree), str(self.deb)], check=True,
                       capture_output=True)

    def write_table(self, name, columns, rows):
        with open(self.tables / name, "w", encoding="utf-8") as file:
            file.write("\t".join(columns) + "\n")
            file.writelines("\t".join(r[c] for c in columns) + "\n" for r in rows)

    def write_tables(self, repositories=(), files=()):
        self.write_table("recordings.tsv", list(self.rows[0]), self.rows)
        data = self.deb.read_bytes()
        self.write_table("packages.tsv", ("package", "version", "set", "bytes", "sha256"),
                         [{"package": "barks", "version": "1.0", "set": "core", "bytes": str(len(data)),
                           "sha256": hashlib.sha256(data).hexdigest()}])
        self.write_table("repositories.tsv", ("repository", "url", "commit"), repositories)
        self.write_table("repository_files.tsv",
                         ("origin", "path", "repository", "file", "start_seconds", "end_seconds"), files)

    def run_fetch(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with unittest.mock.patch("sys.stdout", out), unittest.mock.patch("sys.stderr", err):
            code = fetch_sounds.main(["--dir", str(self.bank), *arguments])
        return code, out.getvalue(), err.getvalue()

    def bank_rows(self):
        with open(self.bank / "bank.tsv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

    def forbid_network(self):
        patch = unittest.mock.patch.object(fetch_sounds, "download_package",
                                           side_effect=fetch_sounds.FetchError("no network here"))
        self.addCleanup(patch.stop)
        return patch.start()

    def test_a_bank_lists_every_recording_with_the_published_bytes(self):
        code, out, _ = self.run_fetch("--from", str(self.source))
        self.assertEqual(code, 0)
        self.assertIn("2 classes, 4 clips, 4 original recordings", out)
        rows = self.bank_rows()
        self.assertEqual([r["group"] for r in rows], ["g1", "g2", "fs1", "fs2"])
        content = {r["group"]: (self.bank / r["path"]).read_bytes() for r in rows}
        self.assertEqual(content, {"g1": wav(), "g2": wav(b"\x03\x00" * 40), "fs1": b"OggS rain", "fs2": b"fLaC rain"})
        self.assertEqual(rows[0]["author"], "Ann")
        self.assertFalse(list(self.bank.glob(".work-*")))

    def test_running_again_unpacks_nothing_and_repairs_what_is_missing(self):
        self.run_fetch("--from", str(self.source))
        before = (self.bank / "bank.tsv").read_bytes()
        with unittest.mock.patch.object(fetch_sounds, "store_rows", side_effect=AssertionError("fetched again")):
            self.assertEqual(self.run_fetch("--from", str(self.source))[0], 0)
        victim = self.bank / self.bank_rows()[1]["path"]
        victim.unlink()
        self.assertEqual(self.run_fetch("--from", str(self.source))[0], 0)
        self.assertEqual(victim.read_bytes(), wav(b"\x03\x00" * 40))
        victim.write_bytes(b"half")  # another size than the stamp has
        self.run_fetch("--from", str(self.source))
        self.assertEqual(victim.read_bytes(), wav(b"\x03\x00" * 40))
        self.assertEqual((self.bank / "bank.tsv").read_bytes(), before)

    def test_an_interrupted_run_is_finished_by_the_next(self):
        stored = fetch_sounds.write_whole
        calls = []

        def interrupted(path, data):
            calls.append(path)
            if len(calls) == 3:
                raise KeyboardInterrupt
            stored(path, data)

        with unittest.mock.patch.object(fetch_sounds, "write_whole", interrupted), self.assertRaises(KeyboardInterrupt):
            self.run_fetch("--from", str(self.source))
        self.put("bank/.work-killed/tree/file", b"left by a run that was killed")
        self.assertEqual(self.run_fetch("--from", str(self.source))[0], 0)
        self.assertEqual(len(self.bank_rows()), 4)
        self.assertFalse(list(self.bank.glob(".work-*")))
        self.assertFalse(list(self.bank.rglob("*.part")))

    def test_a_package_with_another_checksum_is_not_taken(self):
        network = self.forbid_network()
        data = bytearray(self.deb.read_bytes())
        data[-1] ^= 1
        self.deb.write_bytes(data)
        code, _, err = self.run_fetch("--from", str(self.source))
        self.assertTrue(network.called)
        self.assertEqual(code, 0)  # the folders' recordings are there
        self.assertIn("barks: no network here", err)
        self.assertEqual({r["group"] for r in self.bank_rows()}, {"fs1", "fs2"})

    def test_a_source_folder_that_is_not_there_is_a_usage_error(self):
        code, _, err = self.run_fetch("--from", str(self.folder / "not there"))
        self.assertEqual(code, 2)
        self.assertIn("is not a folder", err)

    def test_files_that_left_the_table_are_removed(self):
        self.run_fetch("--from", str(self.source))
        stranger = self.put("bank/audio/unicorn/old.wav", b"old")
        self.run_fetch("--from", str(self.source))
        self.assertFalse(stranger.exists())
        self.assertFalse(stranger.parent.exists())
        self.assertEqual(len(self.bank_rows()), 4)

    def make_repository(self):
        """A git repository with the two folder recordings, one of them inside a longer WAV file."""
        folder = self.folder / "repository"
        self.put("repository/sounds dir/rain é.ogg", b"OggS rain")
        self.put("repository/long.wav", wav(b"\x05\x00" * 9000))
        self.put("repository/unwanted.bin", os.urandom(1000))

        def git(*arguments):
            return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t.example", *arguments], cwd=folder,
                                  check=True, capture_output=True, text=True).stdout.strip()

        git("init", "-q")
        git("config", "uploadpack.allowFilter", "true")
        git("config", "uploadpack.allowAnySHA1InWant", "true")
        git("add", "-A")
        git("commit", "-q", "-m", "sounds")
        commit = git("rev-parse", "HEAD")
        git("rm", "-q", "-r", "sounds dir")  # the newest commit no longer has them
        git("commit", "-q", "-m", "move")
        self.write_tables(
            [{"repository": "a/b", "url": f"file://{folder}", "commit": commit}],
            [{"origin": "esc10", "path": "rain/1.ogg", "repository": "a/b", "file": "sounds dir/rain é.ogg",
              "start_seconds": "0", "end_seconds": "0"},
             {"origin": "ccsounds", "path": "rain/cc-2.flac", "repository": "a/b", "file": "long.wav",
              "start_seconds": "0.25", "end_seconds": "0.75"}])
        return folder

    def test_repositories_serve_where_there_is_no_folder(self):
        if shutil.which("git") is None:
            self.skipTest("no git")
        self.make_repository()
        for name in ("esc10", "ccsounds"):
            shutil.rmtree(self.source / name)
        code, _, err = self.run_fetch("--from", str(self.source))
        self.assertEqual(code, 0, err)
        rows = {r["group"]: r for r in self.bank_rows()}
        self.assertEqual(set(rows), {"g1", "g2", "fs1", "fs2"})
        self.assertEqual((self.bank / rows["fs1"]["path"]).read_bytes(), b"OggS rain")
        self.assertEqual((self.bank / rows["fs2"]["path"]).read_bytes(), wav(b"\x05\x00" * 9000))
        self.assertTrue(rows["fs2"]["path"].endswith(".wav"))
        self.assertEqual((rows["fs2"]["start_seconds"], rows["fs2"]["end_seconds"]), ("0.25", "0.75"))
        with unittest.mock.patch.object(sound_repositories, "check_out", side_effect=AssertionError("fetched again")):
            self.assertEqual(self.run_fetch("--from", str(self.source))[0], 0)

    def test_a_repository_out_of_reach_names_the_way_out(self):
        if shutil.which("git") is None:
            self.skipTest("no git")
        shutil.rmtree(self.make_repository())
        for name in ("esc10", "ccsounds"):
            shutil.rmtree(self.source / name)
        code, _, err = self.run_fetch("--from", str(self.source))
        self.assertEqual(code, 0)  # the package's recordings are there
        self.assertIn("Missing: 2 of 4 recordings", err)
        self.assertIn("--from DIR", err)
        self.assertEqual({r["group"] for r in self.bank_rows()}, {"g1", "g2"})
        self.forbid_network()
        shutil.rmtree(self.bank)
        self.assertEqual(self.run_fetch()[0], 1)  # nothing at all


class ShowsProgress(unittest.TestCase):
    def test_amount_rate_and_time_left(self):
        now = [0.0]
        out = io.StringIO()
        progress = fetch_sounds.Progress(100_000_000, out, lambda: now[0])
        now[0] = 10.0
        progress.finish("one", 25_000_000)
        self.assertIn("25.0/100.0 MB", out.getvalue())
        self.assertIn("2.5 MB/s", out.getvalue())
        self.assertIn("ETA 0:30", out.getvalue())
        self.assertNotIn("\r", out.getvalue())  # not a terminal: plain lines


class CommittedTables(unittest.TestCase):
    """What the tables promise, counted here from the files alone."""

    @classmethod
    def setUpClass(cls):
        read = fetch_sounds.read_table
        cls.rows, cls.packages = read(SOURCE / "recordings.tsv"), read(SOURCE / "packages.tsv")
        cls.classes, cls.files = read(SOURCE / "classes.tsv"), read(SOURCE / "repository_files.tsv")
        cls.repositories = read(SOURCE / "repositories.tsv")

    def groups(self, clazz, **wanted):
        return {r["group"] for r in self.rows if r["class"] == clazz and all(r[k] == v for k, v in wanted.items())}

    def test_no_original_recording_is_in_two_splits(self):
        splits = {}
        for r in self.rows:
            self.assertIn(r["split"], ("train", "validation", "test"))
            self.assertEqual(splits.setdefault(r["group"], r["split"]), r["split"], r["group"])

    def test_recordings_known_to_be_the_same_share_a_group(self):
        groups = {r["group"] for r in self.rows}
        for pair in fetch_sounds.read_table(SOURCE / "same_source.tsv"):
            self.assertFalse({pair["group"], pair["same_as"]} <= groups, pair)

    def test_the_core_set_has_forty_classes_of_eight_original_recordings(self):
        counts = {c["name"]: len(self.groups(c["name"], set="core")) for c in self.classes}
        self.assertGreaterEqual(sum(count >= 8 for count in counts.values()), 40, counts)

    def test_every_class_has_two_recordings_for_test_and_more_for_training(self):
        for c in self.classes:
            self.assertGreaterEqual(len(self.groups(c["name"], set="core", split="test")), 2, c["name"])
            self.assertGreaterEqual(len(self.groups(c["name"], set="core", split="validation")), 1, c["name"])
            self.assertGreaterEqual(len(self.groups(c["name"], set="core", split="train")), 2, c["name"])

    def test_the_large_set_adds_to_training_only(self):
        self.assertEqual({r["split"] for r in self.rows if r["set"] == "large"}, {"train"})

    def test_the_core_packages_are_under_250_megabytes_and_all_are_pinned(self):
        self.assertLess(sum(int(p["bytes"]) for p in self.packages if p["set"] == "core"), 250_000_000)
        for p in self.packages:
            self.assertRegex(p["sha256"], "^[0-9a-f]{64}$")
        self.assertEqual({r["origin"] for r in self.rows} - {"esc10", "ccsounds"},
                         {p["package"] for p in self.packages})

    def test_every_recording_has_a_licence_and_a_class(self):
        names = {c["name"] for c in self.classes}
        for r in self.rows:
            self.assertIn(r["class"], names)
            self.assertNotIn(r["licence"], ("", "unknown", "see debian/copyright"))

    def test_every_folder_recording_has_its_file_at_a_pinned_commit(self):
        wanted = {(r["origin"], r["path"]) for r in self.rows if r["origin"] in fetch_sounds.FOLDERS}
        self.assertEqual({(f["origin"], f["path"]) for f in self.files}, wanted)
        pinned = {r["repository"] for r in self.repositories}
        self.assertLessEqual({f["repository"] for f in self.files}, pinned)
        for r in self.repositories:
            self.assertRegex(r["commit"], "^[0-9a-f]{40}$")

    def test_no_two_recordings_are_stored_under_one_name(self):
        names = [fetch_sounds.stored_name(r) for r in self.rows]
        self.assertEqual(len(set(names)), len(names))


if __name__ == "__main__":
    unittest.main()
