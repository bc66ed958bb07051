"""Which words of a prompt are its subject, where nobody says so."""

import re

# what a prompt goes on with once its subject is named
PLACES = "on in at under over above below behind before near beside by through across along inside outside"
OTHERS = "with without and or while as that which who is are of from to into onto against during after for"
AFTER = frozenset(f"{PLACES} {OTHERS}".split())
ARTICLES = frozenset({"a", "an", "the", "one", "some"})


def find_words(prompt: str, words: str) -> re.Match[str] | None:
    """Where the prompt says these words, whole, one after the other, however they are spaced or written."""
    spaced = r"\s+".join(re.escape(part) for part in words.split())
    return re.search(rf"(?<!\w){spaced}(?!\w)", prompt, re.IGNORECASE) if spaced else None


def subject_of(prompt: str) -> str:
    """The words up to where a place, a doing or a comma begins, without their article.

    "a red car on the street" gives "red car", "a panda dancing at night" gives "panda". The whole prompt
    where nothing is left so.
    """
    first = re.split(r"[,;.:|]", prompt.strip(), maxsplit=1)[0]
    words = first.split()
    while words and words[0].lower() in ARTICLES:
        words = words[1:]
    for number, word in enumerate(words[1:], start=1):
        if word.lower() in AFTER or (word.lower().endswith("ing") and len(word) > 4):
            return " ".join(words[:number])
    return " ".join(words if words else prompt.split())
