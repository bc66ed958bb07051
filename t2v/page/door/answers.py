"""What goes out: an answer that refuses or fails has a sentence, also where Gradio's own would have none."""

import json
from typing import Any

from t2v.page.door.whole import Whole

OWN_FAULT = "The program itself failed to answer this, not your input; the details are in its log."
UNANSWERABLE = 422  # it was understood, and what it asks for cannot be done


class InWords(Whole):
    """Sends an answer on; one of JSON that refuses is held until it is whole, and told in one sentence.

    Gradio answers a run that was refused, or that failed, by 500 and ``{"error": ...}``, which is null where
    it does not know what to say, and a body of another form by a list of what is wrong with it.
    """

    def held(self, start: Any) -> bool:
        return _may_need_words(start)

    def made(self, start: Any, body: bytes) -> tuple[Any, bytes]:
        status, told = _told(start["status"], body)
        return {**start, "status": status}, told


def _may_need_words(message: Any) -> bool:
    kind = dict(message["headers"]).get(b"content-type", b"")
    return message["status"] in (422, 500) and kind.startswith(b"application/json")


def _told(status: int, body: bytes) -> tuple[int, bytes]:
    """Status and body, in words; those that have words stay as they are."""
    said = json.loads(body)
    if "error" in said:
        sentence = OWN_FAULT if said["error"] is None else said["error"]
        told = _body({**said, "error": sentence, "detail": sentence})
        return 500 if sentence == OWN_FAULT else UNANSWERABLE, told
    if isinstance(said.get("detail"), list):
        first = said["detail"][0]
        wrong = f"{' '.join(map(str, first['loc']))}: {first['msg'].lower()}"[:200]
        sentence = (
            f"The request is not of the form that this address takes ({wrong}); send its fields as JSON."
        )
        return status, _body({"detail": sentence})
    return status, body


def _body(said: Any) -> bytes:
    return json.dumps(said).encode("ascii")
