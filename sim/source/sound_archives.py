"""Reads single members out of the archives in which packages keep their sounds, and renders SoundFont notes.

`read_member(path)` understands "file", "archive!/member" (zip under any name, Qt resource bundle, OpenTTD .cat) and
`render_notes` plays "font.sf2#prog=19&notes=55-57-62". All input is checked: a damaged archive raises ArchiveError.
"""

import pathlib
import struct
import subprocess
import tempfile
import urllib.parse
import zipfile
import zlib

MAX_MEMBER_BYTES = 256 << 20  # no sound here is larger; a damaged length must not take all memory


class ArchiveError(Exception):
    """The archive, or the member asked for, cannot be read; the text says why."""


def read_member(path):
    """The bytes of a file, or of "archive!/member"."""
    outer, bang, member = str(path).partition("!/")
    outer = pathlib.Path(outer)
    if not outer.is_file():
        raise ArchiveError(f"{outer}: no such file")
    if not bang:
        return outer.read_bytes()
    data = None
    try:
        with open(outer, "rb") as file:
            magic = file.read(4)
        if zipfile.is_zipfile(outer):
            data = _zip_member(outer, member)
        elif magic == b"qres":
            data = _qt_resource(outer.read_bytes(), member)
        elif outer.suffix == ".cat":
            data = _openttd_sound(outer.read_bytes(), member)
    except (struct.error, zipfile.BadZipFile, zlib.error, IndexError, UnicodeDecodeError, OSError) as error:
        raise ArchiveError(f"{outer}: damaged archive ({error})") from error
    if data is None:
        raise ArchiveError(f"{outer}: has no member {member}, or is an archive of an unknown kind")
    return data


def _zip_member(path, member):
    with zipfile.ZipFile(path) as archive:
        try:
            info = archive.getinfo(member)
        except KeyError:
            return None
        if info.file_size > MAX_MEMBER_BYTES:
            raise ArchiveError(f"{path}: {member} claims {info.file_size} bytes")
        return archive.read(info)


def _qt_resource(data, member):
    """Member of a Qt binary resource (qtbase, src/tools/rcc: header, tree of nodes, names in UTF-16, data)."""
    version, tree, payload, names = struct.unpack_from(">IIII", data, 4)
    node_bytes = 14 if version == 1 else 22  # from version 2 on, a time stamp follows each node

    def name_of(node):
        at = names + struct.unpack_from(">I", data, node)[0]
        length = struct.unpack_from(">H", data, at)[0]
        return data[at + 6:at + 6 + 2 * length].decode("utf-16-be")

    node = tree
    for part in member.split("/"):
        flags = struct.unpack_from(">H", data, node + 4)[0]
        if not flags & 2:
            return None
        count, first = struct.unpack_from(">II", data, node + 6)
        children = [tree + node_bytes * (first + i) for i in range(min(count, 100000))]
        node = next((child for child in children if name_of(child) == part), None)
        if node is None:
            return None
    flags = struct.unpack_from(">H", data, node + 4)[0]
    if flags & 2:
        return None
    at = payload + struct.unpack_from(">I", data, node + 10)[0]
    size = struct.unpack_from(">I", data, at)[0]
    body = data[at + 4:at + 4 + size]
    if len(body) != size:
        raise ArchiveError(f"{member}: cut short")
    if flags & 4:  # Zstandard, which Python's library lacks
        return _unpack_zstd(body)
    if flags & 1:
        unpacker = zlib.decompressobj()
        body = unpacker.decompress(body[4:], MAX_MEMBER_BYTES)
    return body


def _unpack_zstd(body):
    try:
        return subprocess.run(["zstd", "-dcq"], input=body, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ArchiveError("needs the program zstd (apt-get install zstd)") from error


def _openttd_sound(data, member):
    """Sound number N of a .cat, member "N.wav" (OpenTTD, src/sound.cpp: table of offset and length, then a name and a
    RIFF file each)."""
    count = (struct.unpack_from("<I", data)[0] & 0x7FFFFFFF) // 8
    index = int(member.removesuffix(".wav")) if member.removesuffix(".wav").isdigit() else -1
    if not 0 <= index < count:
        return None
    offset, size = struct.unpack_from("<II", data, 8 * index)
    offset &= 0x7FFFFFFF
    offset += 1 + data[offset]  # the name
    if data[offset:offset + 4] != b"RIFF":
        raise ArchiveError(f"{member}: not a RIFF file")
    length = 8 + struct.unpack_from("<I", data, offset + 4)[0]
    return data[offset:offset + min(length, size)]


def notes_to_midi(program, notes, seconds_per_note=0.6):
    """A Standard MIDI File (type 0) that plays `notes` (MIDI numbers) one after another on General MIDI `program`."""
    ticks = int(480 * seconds_per_note / 0.5)  # 480 ticks a quarter note, which is 0.5 s at MIDI's default tempo

    def delta(value):
        out = [value & 0x7F]
        while value > 0x7F:
            value >>= 7
            out.insert(0, 0x80 | (value & 0x7F))
        return bytes(out)

    track = bytes([0, 0xC0, program])
    for note in notes:
        track += delta(0) + bytes([0x90, note, 96]) + delta(ticks) + bytes([0x80, note, 64])
    track += delta(240) + b"\xff\x2f\x00"
    return struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 480, b"MTrk", len(track)) + track


def parse_render(path):
    """"font.sf2#prog=19&notes=55-57" -> (font path, program, [notes])."""
    font, _, query = str(path).partition("#")
    fields = urllib.parse.parse_qs(query)
    try:
        program, notes = int(fields["prog"][0]), [int(note) for note in fields["notes"][0].split("-")]
    except (KeyError, ValueError) as error:
        raise ArchiveError(f"{path}: wants #prog=P&notes=N-N-...") from error
    if not 0 <= program < 128 or not all(0 <= note < 128 for note in notes):
        raise ArchiveError(f"{path}: MIDI numbers are 0 to 127")
    return font, program, notes


def render_notes(path, out):
    """Renders "font.sf2#prog=P&notes=..." to `out` (16-bit WAV, 44.1 kHz) with the program fluidsynth, dry."""
    font, program, notes = parse_render(path)
    if not pathlib.Path(font).is_file():
        raise ArchiveError(f"{font}: no such file")
    with tempfile.TemporaryDirectory() as folder:
        midi = pathlib.Path(folder) / "notes.mid"
        midi.write_bytes(notes_to_midi(program, notes))
        try:
            subprocess.run(["fluidsynth", "-niq", "-R", "0", "-C", "0", "-g", "0.5", "-r", "44100", "-T", "wav", "-O",
                            "s16", "-F", str(out), font, str(midi)], check=True, capture_output=True, timeout=120)
        except FileNotFoundError as error:
            raise ArchiveError("needs the program fluidsynth (apt-get install fluidsynth)") from error
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise ArchiveError(f"{path}: fluidsynth failed ({error})") from error
    if not out.is_file() or out.stat().st_size < 1000:
        raise ArchiveError(f"{path}: fluidsynth wrote nothing")
