"""An answer on its way out that is held until it is whole, and then sent as something else."""

from typing import Any


class Whole:
    """ASGI's ``send``: answers that are ``held`` are sent when whole, as ``made``; others pass."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._begun: Any = None
        self._body = bytearray()

    def held(self, start: Any) -> bool:
        """Whether the answer that begins so is held."""
        raise NotImplementedError

    def made(self, start: Any, body: bytes) -> tuple[Any, bytes]:
        """How the answer begins, and its body; its length is told by itself."""
        raise NotImplementedError

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start" and self.held(message):
            self._begun = message
        elif self._begun is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_whole()

    async def _send_whole(self) -> None:
        start, body = self.made(self._begun, bytes(self._body))
        others = [one for one in start["headers"] if one[0].lower() != b"content-length"]
        headers = [*others, (b"content-length", str(len(body)).encode("ascii"))]
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
