#!/usr/bin/env python3
"""Clients that each have posts of their own to bring, and do not give up: what a patient person, or a scheduling tool, does.

    clients.py ADDRESS AUTHORITY SECONDS CLIENTS PAUSE [SLOW]     writes JSON to standard output

Each post has a key (`Idempotency-Key`), kept when it is sent again. A post is sent again when its connection could not be had, or
ended without an answer. Every answer is counted; what had none in the end is lost. SLOW more bring one long post each, whose body takes
eight seconds and begins after a quarter of the time; they do not try again.
"""

import asyncio
import json
import random
import ssl
import sys
import time

HOST = "edge.example.org"
CLEAN = "flu shots are available in the lobby today, post {n}"
BLOCKED = "call back, her SSN is 987-65-4320, visit {n}"
# One in ten is about a patient.
SHARE = 10


class Count:
    def __init__(self):
        self.posts = self.answered = self.sent_again = self.refused = self.cut = 0
        self.lost, self.status, self.seconds, self.blocked, self.long = [], {}, [], [], []


async def client(number, count, address, trust, until, pause):
    reader = writer = None
    n = 0
    await asyncio.sleep(random.random() * min(pause * 2, 1))
    while time.monotonic() < until:
        n += 1
        key, text = f"{number}-{n}", (BLOCKED if n % SHARE == 0 else CLEAN)
        body = json.dumps({"status": text.format(n=n)}).encode()
        head = (f"POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        count.posts += 1
        began = time.monotonic()
        for attempt in range(200):
            if attempt:
                count.sent_again += 1
                await asyncio.sleep(min(0.05 * attempt, 0.5))
            try:
                if writer is None:
                    async with asyncio.timeout(15):
                        reader, writer = await asyncio.open_connection(address, 443, ssl=trust, server_hostname=HOST)
            except (OSError, asyncio.TimeoutError):
                count.refused += 1
                continue
            try:
                async with asyncio.timeout(30):
                    writer.write(head + body)
                    status, closing = await answer(reader)
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
                count.cut += 1
                writer.close()
                writer = None
                continue
            count.status[status] = count.status.get(status, 0) + 1
            if closing:
                writer.close()
                writer = None
            if status < 500:
                count.answered += 1
                if status != 200:
                    count.blocked.append(key)
                break
        else:
            count.lost.append(key)
        count.seconds.append(time.monotonic() - began)
        await asyncio.sleep(pause * (0.5 + random.random()))
    if writer is not None:
        writer.close()


async def slow(number, count, address, trust, wait):
    await asyncio.sleep(wait)
    body = json.dumps({"status": "flu shots are available in the lobby today. " * 1000}).encode()
    pieces = 32
    try:
        async with asyncio.timeout(60):
            reader, writer = await asyncio.open_connection(address, 443, ssl=trust, server_hostname=HOST)
            writer.write((f"POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nIdempotency-Key: slow-{number}\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n").encode())
            for n in range(pieces):
                writer.write(body[len(body) * n // pieces:len(body) * (n + 1) // pieces])
                await writer.drain()
                await asyncio.sleep(8 / pieces)
            count.long.append((await answer(reader))[0])
            writer.close()
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
        count.long.append(repr(error))


async def answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1]), b"connection: close" in head.lower()


async def main():
    address, authority, seconds, clients, pause = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    trust = ssl.create_default_context(cafile=authority)
    count = Count()
    until = time.monotonic() + seconds
    patient = int(sys.argv[6]) if len(sys.argv) > 6 else 0
    await asyncio.gather(*(client(number, count, address, trust, until, pause) for number in range(clients)),
                         *(slow(number, count, address, trust, seconds / 4) for number in range(patient)))
    took = sorted(count.seconds)
    share = lambda part: round(took[min(len(took) - 1, int(len(took) * part))] * 1000, 1) if took else None
    print(json.dumps({"posts": count.posts, "answered": count.answered, "sent_again": count.sent_again, "refused": count.refused, "cut": count.cut,
                      "lost": count.lost, "status": count.status, "blocked": count.blocked, "long": count.long,
                      "ms": {"median": share(0.5), "99 %": share(0.99), "longest": share(1)}}))


if __name__ == "__main__":
    asyncio.run(main())
