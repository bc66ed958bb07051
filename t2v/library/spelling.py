"""The nearest spelling of a search that finds nothing, by the words of the prompts that there are."""

import difflib
import itertools
import re
from collections import Counter
from dataclasses import replace

from t2v.library.index import Library, folded
from t2v.library.search import MAX_WORDS, Query, all_words, search

ALIKE = 0.7  # of difflib: one wrong letter in a word of four
LONGER = 2  # letters that a word may be longer or shorter
MOST_CHOICES = 3  # for a word
MOST_TRIED = 12


def nearest(library: Library, query: Query) -> str:
    """The words that were meant, which find something with the rest of the query; "" where none are near."""
    typed = folded(query.words).split()
    if not typed or len(typed) > MAX_WORDS:
        return ""
    counts = Counter(word for prompt in all_words(library, query) for word in set(re.findall(r"\w+", prompt)))
    choices = [_choices(word, counts) for word in typed]
    for words in itertools.islice(itertools.product(*choices), MOST_TRIED):
        meant = " ".join(words)
        if list(words) != typed and search(library, replace(query, words=meant), limit=1).total:
            return meant
    return ""


def _choices(word: str, counts: Counter[str]) -> list[str]:
    """A word that prompts have stays; else those most like it, of which the more frequent first."""
    if any(word in other for other in counts):
        return [word]
    near = [other for other in counts if abs(len(other) - len(word)) <= LONGER]
    found = difflib.get_close_matches(word, near, MOST_CHOICES, ALIKE)
    alike = {other: difflib.SequenceMatcher(None, other, word).ratio() for other in found}
    return sorted(found, key=lambda other: (-round(alike[other], 2), -counts[other])) or [word]
