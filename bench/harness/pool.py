"""The messages of the compressed echo: JSON whose numbers do not repeat, and the floor's frames of it."""

import pathlib
import random
import zlib

COUNT, LEVEL = 64, 6  # the library's level, zlib's own


def messages(size):
    numbers = random.Random(size)
    for _ in range(COUNT):
        text = ""
        while len(text) < size:
            text += (
                f'{{"symbol":"ABC{numbers.randrange(16)}","price":{numbers.randrange(1024)}.{numbers.randrange(64):02},'
                f'"volume":{numbers.randrange(4096)}}},'
            )
        yield text[:size].encode()


def frame(payload):
    """A compressed text message from a client, masked with 0."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    return b"\xc1" + length + bytes(4) + payload


def write(out, size):
    """Writes both files; returns the parameters that name them. A compressor that keeps its history may begin again
    with the first message: that refers to nothing, and the others to what came before them each time."""
    pool, frames = pathlib.Path(out, f"pool-{size}"), pathlib.Path(out, f"frames-{size}")
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    all_messages = list(messages(size))
    pool.write_bytes(b"".join(all_messages))
    compressed = (compressor.compress(m) + compressor.flush(zlib.Z_SYNC_FLUSH) for m in all_messages)
    frames.write_bytes(b"".join(frame(payload.removesuffix(b"\0\0\xff\xff")) for payload in compressed))
    return {"pool": pool, "frames": frames, "deflate": LEVEL}
