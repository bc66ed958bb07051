"""Which words of a prompt are its subject, where nobody says so."""

import re

# what a prompt goes on with once its subject is named
AFTER = [
    "on",
    "in",
    "at",
    "under",
    "over",
    "above",
    "below",
    "behind",
    "before",
    "near",
    "beside",
    "by",
    "with",
    "without",
    "and",
    "or",
    "while",
    "as",
    "that",
    "which",
    "who",
    "is",
    "are",
    "through",
    "across",
    "along",
    "inside",
    "outside",
    "of",
    "from",
    "to",
    "into",
    "onto",
    "against",
    "during",
    "after",
    "for",
]
ARTICLES = ("a", "an", "the", "one", "some")


def subject_of(prompt: str) -> str:
    """The words up to where a place, a doing or a comma begins, without their article; all where none does.

    "a red car on the street" gives "red car", "a panda dancing at night" gives "panda".
    """
    first = re.split(r"[,;.:|]", prompt.strip(), maxsplit=1)[0]
    words = first.split()
    while words and words[0].lower() in ARTICLES:
        words = words[1:]
    for number, word in enumerate(words[1:], start=1):
        if word.lower() in AFTER or (word.lower().endswith("ing") and len(word) > 4):
            return " ".join(words[:number])
    return " ".join(words)
