"""One port for gRPC and REST, as Milvus' proxy has: a connection goes where its first bytes say.

A gRPC client begins with the preface of HTTP/2, `PRI * HTTP/2.0`; a REST client with another method.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

_PREFACE = b"PRI"
_PIECE = 256 << 10


class Front:
    def __init__(self, host: str, port: int, grpc: tuple[str, int], rest: tuple[str, int]) -> None:
        self._targets = grpc, rest
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, host, port))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="front", daemon=True)
        self._thread.start()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _finish(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.readexactly(len(_PREFACE))
            host, port = self._targets[0 if first == _PREFACE else 1]
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            return
        far_writer.write(first)
        # Cancelled at the end of the double: nothing to tell anybody.
        try:
            with suppress(asyncio.CancelledError):
                await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer))
        finally:
            far_writer.close()
            writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes bytes on until the end, and the end itself, but leaves the other direction open."""
    try:
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()
