"""A reader of TensorBoard event files in plain Python: framing, both checksums, the few fields that scalars need."""

import struct


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        length, check = struct.unpack_from("<QI", data, at)
        if masked(data[at:at + 8]) != check:
            raise ValueError(f"checksum of the length at {at}")
        body = data[at + 12:at + 12 + length]
        if len(body) != length or masked(body) != struct.unpack_from("<I", data, at + 12 + length)[0]:
            raise ValueError(f"checksum of the record at {at}")
        yield body
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """(number, value) of a message: integers, or the bytes of everything else."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            length, at = varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at:at + length], at + length
        yield tag >> 3, value


def events(path):
    """One dictionary a record: wall_time, step, and version, start or scalars."""
    with open(path, "rb") as file:
        data = file.read()
    for body in records(data):
        event = {"step": 0, "scalars": {}}
        for number, value in fields(body):
            if number == 1:
                event["wall_time"] = struct.unpack("<d", value)[0]
            elif number == 2:
                event["step"] = value
            elif number == 3:
                event["version"] = value.decode()
            elif number == 5:
                for _, item in fields(value):
                    parts = dict(fields(item))
                    event["scalars"][parts[1].decode()] = struct.unpack("<f", parts[2])[0]
            elif number == 7:
                event["start"] = dict(fields(value)) == {1: 1}
        yield event
