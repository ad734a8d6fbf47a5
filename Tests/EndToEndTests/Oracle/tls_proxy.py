"""Ends TLS before a plain server: `tls_proxy.py HOST:PORT CERTIFICATE KEY [AUTHORITY]`.

Prints the port it listens on. With AUTHORITY it takes only clients that show a certificate of that authority. Offers h2,
which gRPC insists on, and passes bytes on as they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(1 << 16):
            target.write(data)
            await target.drain()
    with contextlib.suppress(OSError):
        target.close()


async def main(server: str, certificate: str, key: str, authority: str | None) -> None:
    host, _, port = server.partition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    if authority:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, back), pump(there, writer))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], sys.argv[4] if len(sys.argv) > 4 else None))
