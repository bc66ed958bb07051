"""Pictures inside of a page or an answer, as addresses."""

import base64


def webp_address(picture: bytes) -> str:
    """The address, ``data:…``, that is a WebP itself."""
    return "data:image/webp;base64," + base64.b64encode(picture).decode("ascii")
