"""A connection on which no whole request arrives is closed: half a request would otherwise keep it open for ever."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 20.0


class PatientProtocol(H11Protocol):
    """Uvicorn's HTTP, with a limit on how long the head of a request may take to arrive. Bodies are the gate's matter.

    Uvicorn itself closes connections that are idle after an answer, but waits without end for the first request, and for the
    rest of one that has begun.
    """

    headers_s = HEADERS_S
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it, too
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.get_protocol() is not self:  # it is a WebSocket now, which is pinged
            self._stop_expecting()
        elif self.conn.their_state is h11.IDLE or (self.cycle is not None and self.cycle.response_complete):
            self._expect()
        else:
            self._stop_expecting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_expecting()
        super().connection_lost(exc)

    def _expect(self) -> None:
        if self._late is None:  # once it runs, bytes that trickle in do not put it off
            self._late = self.loop.call_later(self.headers_s, self.transport.abort)

    def _stop_expecting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
