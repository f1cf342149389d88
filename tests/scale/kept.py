#!/usr/bin/env python3
"""Opens so many connections, has each carry one post, keeps them, says so, and waits to be told to go.

    kept.py ADDRESS PORT AUTHORITY COUNT
"""

import asyncio
import json
import ssl
import sys

from clients import CLEAN, HOST, answer


async def one(gate, address, port, trust, kept):
    async with gate:
        reader, writer = await asyncio.open_connection(address, port, ssl=trust, server_hostname=HOST)
        body = json.dumps({"status": CLEAN.format(n=1)}).encode()
        writer.write(f"POST /api/v1/statuses HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await answer(reader)
        kept.append(writer)


async def main():
    address, port, authority, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    trust = ssl.create_default_context(cafile=authority)
    gate, kept = asyncio.Semaphore(50), []
    await asyncio.gather(*(one(gate, address, port, trust, kept) for _ in range(count)))
    print(len(kept), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
