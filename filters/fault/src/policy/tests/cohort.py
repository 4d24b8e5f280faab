import struct

MASK = (1 << 64) - 1

def rounds(v, count):
    a, b, c, d = v
    rotated = lambda x, bits: (x << bits | x >> 64 - bits) & MASK
    for _ in range(count):
        a = (a + b) & MASK; b = rotated(b, 13) ^ a; a = rotated(a, 32)
        c = (c + d) & MASK; d = rotated(d, 16) ^ c
        a = (a + d) & MASK; d = rotated(d, 21) ^ a
        c = (c + b) & MASK; b = rotated(b, 17) ^ c; c = rotated(c, 32)
    return a, b, c, d

def siphash(key, message):
    """The two halves of SipHash-2-4 with 128 bits of output, the low one first."""
    k0, k1 = struct.unpack("<QQ", key)
    v = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ 0xEE, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) % 256])
    for (word,) in struct.iter_unpack("<Q", padded):
        a, b, c, d = rounds((v[0], v[1], v[2], v[3] ^ word), 2)
        v = a ^ word, b, c, d
    a, b, c, d = v = rounds((v[0], v[1], v[2] ^ 0xEE, v[3]), 4)
    e, f, g, h = rounds((v[0], v[1] ^ 0xDD, v[2], v[3]), 4)
    return a ^ b ^ c ^ d, e ^ f ^ g ^ h

def roll(salt, rule, kind, *parts):
    """The number that decides whether it happens, and the one that a random length comes from."""
    message = b"".join(struct.pack("<Q", len(part)) + part for part in (salt, rule, kind, *parts))
    return siphash(b"mesh-filters 1.0", message)

def holds(number, percentage):
    return number * 1_000_000 >> 64 < round(percentage * 10_000)

def uniform(number, shortest, longest):
    """A delay with the distribution `uniform`."""
    return shortest + (longest - shortest) * ((number >> 12) + 0.5) / 2**52

for user in "user-1", "user-2", "user-9", "alice", "judy":
    number, length = roll(b"exp-1", b"chaos", b"delay", user.encode())
    print(user, f"{number:016x}", "yes" if holds(number, 50) else "no", f"{length:016x}", f"{uniform(length, 100, 300):.3f}ms")
