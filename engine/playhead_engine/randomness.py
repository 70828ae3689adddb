"""The seed of a run's random numbers, equal to the seed Temporal's core derives, bit for bit.

The seed is a hash of the run id, so every replay of a run draws the same numbers and the same `uuid4()`s. It must not
depend on anything else: no clock, no process-wide state.
"""

from __future__ import annotations

from struct import unpack_from

_MASK = (1 << 64) - 1


def _sip_round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    # `x << n | x >> 64 - n` rotates; written out, since every run that starts comes through here eight times.
    v0 = v0 + v1 & _MASK
    v1 = v0 ^ (v1 << 13 | v1 >> 51) & _MASK
    v0 = (v0 << 32 | v0 >> 32) & _MASK
    v2 = v2 + v3 & _MASK
    v3 = v2 ^ (v3 << 16 | v3 >> 48) & _MASK
    v0 = v0 + v3 & _MASK
    v3 = v0 ^ (v3 << 21 | v3 >> 43) & _MASK
    v2 = v2 + v1 & _MASK
    v1 = v2 ^ (v1 << 17 | v1 >> 47) & _MASK
    v2 = (v2 << 32 | v2 >> 32) & _MASK
    return v0, v1, v2, v3


def sip_hash_1_3(data: bytes) -> int:
    """SipHash with one compression and three finalisation rounds and an all-zero key, as an unsigned 64-bit number."""
    v0, v1, v2, v3 = 0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573
    count = len(data) // 8
    words = unpack_from(f"<{count}Q", data)
    last = int.from_bytes(data[8 * count :], "little") | (len(data) & 0xFF) << 56
    for word in (*words, last):
        v3 ^= word
        v0, v1, v2, v3 = _sip_round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= 0xFF
    for _ in range(3):
        v0, v1, v2, v3 = _sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def seed_of_run(run_id: str) -> int:
    """The seed for a run id: the hash of its UTF-8 bytes and a closing 0xFF, which is how Rust hashes a string."""
    return sip_hash_1_3(run_id.encode() + b"\xff")
