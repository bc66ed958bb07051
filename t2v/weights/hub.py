"""Whether the hub can be reached; its own client would try for 20 seconds."""

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

PATIENCE_S = 3.0


def hub_answers() -> bool:
    """Whether the hub can be reached now: False when told to stay offline, True behind a proxy."""
    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE  # its import takes a while

    if HF_HUB_OFFLINE:
        return False
    if getproxies().get("https"):
        return True  # only the proxy knows
    place = urlsplit(ENDPOINT)
    try:
        socket.create_connection((place.hostname, place.port or 443), timeout=PATIENCE_S).close()
    except OSError:
        return False
    return True
