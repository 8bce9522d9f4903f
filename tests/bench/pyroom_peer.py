"""pyroomacoustics (MIT) as the peer of auricle-sim-bench: one request a line on stdin, one answer a line on stdout.

  {"do": "room", "size", "absorption", "seconds", "source", "microphone", "rate"}  ->  {"version", "max_order"}
  {"do": "render"}            a response of four channels from nothing, timed       ->  {"seconds", "images", "frames"}
  {"do": "write", "path"}     the last one, float32 W, Y, Z, X one after another    ->  {"zero_sample"}

First-order ambisonics by directivities: one omnidirectional microphone and three figures of eight along y, z and x at
one place. One thread, no high-pass, speed of sound 343 m/s.
"""

import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import pyroomacoustics as pra
from pyroomacoustics.directivities import CardioidFamily

pra.constants.set("num_threads", 1)
pra.constants.set("rir_hpf_enable", False)
pra.constants.set("c", 343.0)


def render(room, max_order):
    """The image sources of a shoebox up to a reflection order, heard by the four microphones: their responses."""
    shoebox = pra.ShoeBox(room["size"], fs=room["rate"], materials=pra.Material(room["absorption"]),
                          max_order=max_order, air_absorption=False)
    shoebox.add_source(room["source"])
    # p is 1 for omnidirectional, 0 for a figure of eight.
    patterns = [CardioidFamily([1, 0, 0], 1.0), CardioidFamily([0, 1, 0], 0.0),
                CardioidFamily([0, 0, 1], 0.0), CardioidFamily([1, 0, 0], 0.0)]
    places = np.tile(np.array(room["microphone"], dtype=float)[:, None], (1, 4))
    shoebox.add_microphone_array(pra.MicrophoneArray(places, room["rate"], directivity=patterns))
    shoebox.compute_rir()
    return [shoebox.rir[m][0] for m in range(4)], shoebox.sources[0].images.shape[1]


def main():
    room, max_order, response = None, 0, None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "room":
            room = request
            # The order at which the images fill the sphere of that many seconds.
            _, max_order = pra.inverse_sabine(room["seconds"], room["size"])
            answer = {"version": pra.__version__, "max_order": max_order}
        elif request["do"] == "render":
            start = time.perf_counter()
            response, images = render(room, max_order)
            answer = {"seconds": time.perf_counter() - start, "images": images,
                      "frames": max(len(channel) for channel in response)}
        elif request["do"] == "write":
            frames = max(len(channel) for channel in response)
            rows = [np.pad(channel, (0, frames - len(channel))).astype(np.float32) for channel in response]
            np.concatenate(rows).tofile(request["path"])
            answer = {"zero_sample": pra.constants.get("frac_delay_length") // 2}
        else:
            answer = {"error": f"do: {request['do']!r} is none of room, render, write"}
        print(json.dumps(answer), flush=True)


main()
