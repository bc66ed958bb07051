"""Finding videos by days and by words that are nearly right."""

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from shelves import put

from t2v.library.days import Term, day_of, terms
from t2v.library.index import Library
from t2v.library.search import Query, nothing_found, search
from t2v.library.spelling import nearest

TODAY = date(2026, 11, 26)  # a Thursday


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "videos")
    yield library
    library.close()


def days(text: str) -> tuple[str, str] | None:
    (term,) = terms(text.split(), TODAY)
    return None if term.days is None else (term.days[0].isoformat(), term.days[1].isoformat())


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("today", "2026-11-26", "2026-11-27"),
        ("yesterday", "2026-11-25", "2026-11-26"),
        ("thursday", "2026-11-26", "2026-11-27"),
        ("monday", "2026-11-23", "2026-11-24"),
        ("friday", "2026-11-20", "2026-11-21"),
        ("last thursday", "2026-11-19", "2026-11-20"),
        ("last monday", "2026-11-23", "2026-11-24"),
        ("this morning", "2026-11-26", "2026-11-27"),
        ("last night", "2026-11-25", "2026-11-26"),
        ("this week", "2026-11-23", "2026-11-30"),
        ("last week", "2026-11-16", "2026-11-23"),
        ("last month", "2026-10-01", "2026-11-01"),
        ("nov 25", "2026-11-25", "2026-11-26"),
        ("25. nov", "2026-11-25", "2026-11-26"),
        ("november 25th", "2026-11-25", "2026-11-26"),
        ("nov 25, 2025", "2025-11-25", "2025-11-26"),
        ("25 november 2025", "2025-11-25", "2025-11-26"),
        ("dec 24", "2025-12-24", "2025-12-25"),  # the last one
        ("may 5", "2026-05-05", "2026-05-06"),
        ("october", "2026-10-01", "2026-11-01"),
        ("december", "2025-12-01", "2026-01-01"),
        ("nov 2025", "2025-11-01", "2025-12-01"),
        ("2026-11-25", "2026-11-25", "2026-11-26"),
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("25.11.2026", "2026-11-25", "2026-11-26"),
        ("11/25/2026", "2026-11-25", "2026-11-26"),
    ],
)
def test_days_are_understood(text, first, after):
    assert days(text) == (first, after)


@pytest.mark.parametrize(
    "word",
    ["car", "may", "march", "sun", "25", "2026-13-01", "2026-02-30", "nov", "0000-01-01", "0001-01-01"],
)
def test_other_words_are_no_days(word):
    assert days(word) is None


def test_days_stand_among_other_words():
    assert terms(["a", "car", "last", "nov", "31", "on", "nov", "25"], TODAY) == [
        *(Term((word,)) for word in ("a", "car", "last", "nov", "31", "on")),
        Term(("nov", "25"), (date(2026, 11, 25), date(2026, 11, 26))),
    ]


def test_a_field_for_days_gives_a_day_or_none():
    assert (day_of("2026-11-25"), day_of(""), day_of("0001-01-01")) == (date(2026, 11, 25), None, None)


def test_videos_are_found_by_the_day_they_were_made_or_the_word_in_the_prompt(library):
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    for prompt, ago in (("a red car", 0), ("a blue car", 1), ("a song of yesterday", 9), ("a boat", 1)):
        put(library.folder / f"{prompt}.mp4", prompt, (noon - timedelta(days=ago)).timestamp())
    library.scan()

    def found(words: str, **asked) -> set[str]:
        asked = {"zone": UTC, **asked}
        return {entry.prompt for entry in search(library, Query(words, **asked)).videos}

    assert found("yesterday") == {"a blue car", "a boat", "a song of yesterday"}
    assert found("car Yesterday") == {"a blue car"}
    assert found(f"{noon - timedelta(days=9):%B %d %Y}") == {"a song of yesterday"}
    assert found("", day=noon.date()) == {"a red car"}
    assert found("car", day=(noon - timedelta(days=1)).date()) == {"a blue car"}
    east = timezone(timedelta(hours=13))  # noon here is the day after there
    assert found("", day=(noon + timedelta(days=1)).date(), zone=east) == {"a red car"}


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"words": "yesterday"}, "No video from yesterday."),
        ({"words": "Bear"}, "No video has “bear” in its prompt."),
        ({"words": "bear last week"}, "No video from last week has “bear” in its prompt."),
        ({"words": "red bear"}, "No video has all of “red bear” in its prompt. Try fewer words."),
        ({"words": "bear", "task": "canny"}, "No video fits all of that. Choose less."),
        ({"words": "bear", "day": TODAY}, "No video fits all of that. Choose less."),
        ({"day": TODAY}, "No video from that day."),
    ],
)
def test_a_search_that_finds_nothing_says_what_there_is_not(library, asked, sentence):
    assert search(library, Query(**asked)).total == 0 and nothing_found(Query(**asked)) == sentence


def test_one_wrong_letter_leads_to_what_was_meant(library):
    for number, prompt in enumerate(
        ("a green house by the sea", "a Greek temple", "a horse", "a secret garden")
    ):
        put(library.folder / f"{number}.mp4", prompt, seed=number)
    library.scan()

    def meant(words: str, **asked) -> str:
        return nearest(library, Query(words, **asked))

    assert meant("gren house") == "green house"
    assert meant("GREEN huose") == "green house"
    assert meant("tempel") == "temple"
    assert meant("seecret gardn") == "secret garden"
    assert meant("xylophone") == "" and meant("") == ""
    assert meant("gren house", task="canny") == ""  # nothing is offered that is not there
    assert meant("temple horse") == ""


def test_no_one_is_told_the_words_of_others(library):
    put(library.folder / "car.mp4", "a secret car")
    library.scan()
    assert nearest(library, Query("secrt", maker="anna")) == ""


def test_of_two_thousand_videos_it_takes_no_time_to_speak_of(library):
    entry = put(library.folder / "0.mp4")
    library.scan()
    assert entry.exists()
    prompts = [
        (f"{n}.mp4", f"f{n}", f"thing{n} of kind{n % 97} with word{n * 7} and green{n}") for n in range(2000)
    ]
    with library.database.writing() as connection:
        connection.executemany(
            "INSERT INTO videos (id, file, size_bytes, changed_ns, fingerprint, is_ours, made_s, words)"
            " VALUES (?2, 'm' || ?1, 1, 1, ?2, 1, 1, ?3)",
            prompts,
        )
    began_s = time.perf_counter()
    assert nearest(library, Query("thingg77 kindd5")) != ""
    assert time.perf_counter() - began_s < 2  # some hundredths on a machine that does nothing else
