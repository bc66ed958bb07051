"""Databases: changes are whole or not there, files are brought up to date, broken ones put aside."""

import sqlite3
import threading

import pytest

from t2v.library.database import Database


def first(connection):
    connection.execute("CREATE TABLE videos (name TEXT PRIMARY KEY)")


def second(connection):
    connection.execute("ALTER TABLE videos ADD COLUMN stars INTEGER NOT NULL DEFAULT 0")


def names(database):
    with database.reading() as connection:
        return [row["name"] for row in connection.execute("SELECT name FROM videos ORDER BY name")]


def add(database, name):
    with database.writing() as connection:
        connection.execute("INSERT INTO videos (name) VALUES (?)", [name])


def test_what_is_written_is_there_when_it_is_opened_again(tmp_path):
    database = Database(tmp_path / "a.sqlite3", [first], durable=True)
    add(database, "car.mp4")
    database.close()
    assert names(Database(tmp_path / "a.sqlite3", [first])) == ["car.mp4"]


def test_an_older_file_is_brought_up_to_date_and_keeps_its_rows(tmp_path):
    add(Database(tmp_path / "a.sqlite3", [first]), "car.mp4")
    newer = Database(tmp_path / "a.sqlite3", [first, second])
    with newer.reading() as connection:
        assert [tuple(row) for row in connection.execute("SELECT name, stars FROM videos")] == [
            ("car.mp4", 0)
        ]


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path):
    add(Database(tmp_path / "a.sqlite3", [first]), "car.mp4")

    def fails(connection):
        second(connection)
        raise ValueError("the power went")

    with pytest.raises(ValueError, match="the power went"):
        Database(tmp_path / "a.sqlite3", [first, fails])
    assert names(Database(tmp_path / "a.sqlite3", [first, second])) == ["car.mp4"]


def test_a_change_that_fails_half_way_is_not_made(tmp_path):
    database = Database(tmp_path / "a.sqlite3", [first])
    with pytest.raises(KeyError), database.writing() as connection:
        connection.execute("INSERT INTO videos (name) VALUES ('half')")
        raise KeyError
    assert names(database) == []
    add(database, "whole")
    assert names(database) == ["whole"]


def test_a_change_within_a_change_is_part_of_it(tmp_path):
    database = Database(tmp_path / "a.sqlite3", [first])
    with pytest.raises(KeyError), database.writing():
        add(database, "inner")
        raise KeyError
    assert names(database) == []


def test_threads_take_turns(tmp_path):
    database = Database(tmp_path / "a.sqlite3", [first])
    threads = [threading.Thread(target=add, args=(database, f"{n:02}")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(database) == [f"{n:02}" for n in range(20)]


def test_two_programs_see_each_others_changes(tmp_path):
    one, other = (Database(tmp_path / "a.sqlite3", [first]) for _ in range(2))
    add(one, "of one")
    add(other, "of the other")
    assert names(one) == names(other) == ["of one", "of the other"]


@pytest.mark.parametrize("broken", ["no database", "a newer one"])
def test_a_file_that_cannot_be_read_is_put_aside(tmp_path, broken, caplog):
    path = tmp_path / "a.sqlite3"
    if broken == "no database":
        path.write_bytes(b"this is a letter to the editor " * 200)
    else:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    assert names(Database(path, [first])) == []
    aside = tmp_path / "a.sqlite3.unread"
    if broken == "no database":
        assert aside.read_bytes().startswith(b"this is a letter")
    else:
        assert sqlite3.connect(aside).execute("PRAGMA user_version").fetchone() == (99,)
    assert "a.sqlite3 is put aside" in caplog.text


def test_what_was_put_aside_before_is_not_overwritten(tmp_path):
    path = tmp_path / "a.sqlite3"
    for letter in (b"first ", b"second "):
        path.write_bytes(letter * 2000)
        Database(path, [first]).close()
        path.unlink()
    assert {one.read_bytes()[:3] for one in tmp_path.glob("*.unread*")} == {b"fir", b"sec"}
