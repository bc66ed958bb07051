"""Whose a video or a run is, where the machine's owner is among those who ask."""


class Owner(str):
    """The name of somebody who is at the machine itself, among visitors from elsewhere.

    Theirs is what they made under this name, and what was made where nobody was told apart: in an app for
    oneself, and on the command line.
    """


def is_theirs(maker: str | None, who: str | None) -> bool:
    """Whether what ``maker`` made (None: nobody was told apart) belongs to who asks."""
    return maker == who or (maker is None and isinstance(who, Owner))
