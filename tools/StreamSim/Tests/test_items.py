"""Items: their types and keys, conditional writes, updates by expressions, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from streamsim import SimulatedTable, StreamSim
from support import DYNAMODB, Item, alike, key, n, post, refused, s

NAMES = [
    "plain", "with.dot", "with space", "#hash", ":colon", '"quotes"', "back\\slash", "tab\tand\nnewline", "\0", "é",
    "e\u0301", "😀", "__proto__", "$set", "'; DROP TABLE", "a" * 200, "Records", "NextShardIterator", "]}",
]

EVERY_TYPE: Item = {
    "string": s("ünïcødé \u2028 \U0001f600 \"quoted\" \\ / \b\f\n\r\t\0\x7f"),
    "number": n("-12345678901234567890.123456789012345678"),
    "bytes": {"B": bytes(range(256))},
    "true": {"BOOL": True},
    "false": {"BOOL": False},
    "null": {"NULL": True},
    "strings": {"SS": ["b", "a", "é", "e\u0301", ""]},
    "numbers": {"NS": ["3", "-1", "2.5"]},
    "byteses": {"BS": [b"\x00", b"\xff\xfe", b""]},
    "list": {"L": [n(1), s(""), {"L": []}, {"M": {}}, {"NULL": True}]},
    "map": {"M": {name: {"M": {name: s(name)}} for name in NAMES}},
    "empty string": s(""),
    "empty bytes": {"B": b""},
}


def get(dynamodb: Any, table: SimulatedTable, wanted: Item, **more: Any) -> Item | None:
    return dynamodb.get_item(TableName=table.name, Key=wanted, ConsistentRead=True, **more).get("Item")


def put(dynamodb: Any, table: SimulatedTable, item: Item, **more: Any) -> Any:
    return dynamodb.put_item(TableName=table.name, Item=item, **more)


# --- Types ---


def test_every_type_and_name_comes_back_as_it_went(dynamodb: Any, table: SimulatedTable) -> None:
    item = key(1) | EVERY_TYPE | {name: s(name) for name in NAMES}
    put(dynamodb, table, item)
    found = get(dynamodb, table, key(1))
    assert found is not None
    assert alike(found) == alike(item)
    assert [alike(one) for one in table.items()] == [alike(item)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1", "1"), ("1.0", "1"), ("001", "1"), ("-0", "0"), ("0.000", "0"), ("1e2", "100"), ("1E+2", "100"),
        ("+5", "5"), ("0.10", "0.1"), (".5", "0.5"), ("5.", "5"), ("12.3e-1", "1.23"), ("9" * 38, "9" * 38),
        ("-" + "9" * 38, "-" + "9" * 38), ("0" * 50 + "7", "7"),
    ],
)
def test_a_number_comes_back_without_zeros_that_say_nothing(
    dynamodb: Any, table: SimulatedTable, written: str, read: str
) -> None:
    put(dynamodb, table, key(1) | {"n": n(written), "in": {"L": [n(written)]}, "set": {"NS": [written]}})
    assert get(dynamodb, table, key(1)) == key(1) | {"n": n(read), "in": {"L": [n(read)]}, "set": {"NS": [read]}}


@pytest.mark.parametrize(
    "number",
    ["1E-130", "-1E-130", "9.9999999999999999999999999999999999999E+125", "1E125", "1" + "0" * 60, "123E-100"],
)
def test_a_number_keeps_its_value_up_to_the_limits(dynamodb: Any, table: SimulatedTable, number: str) -> None:
    put(dynamodb, table, key(1) | {"n": n(number)})
    found = get(dynamodb, table, key(1))
    assert found is not None
    assert Decimal(found["n"]["N"]) == Decimal(number)


@pytest.mark.parametrize(
    "number",
    ["", "a", "NaN", "Infinity", "-Infinity", "0x1", "1 2", "1,5", "--1", "1e", "1" * 39, "1." + "1" * 38, "1E126",
     "-1E126", "1E-131", "１"],
)
def test_what_is_no_number_is_refused(dynamodb: Any, table: SimulatedTable, number: str) -> None:
    for value in (n(number), {"NS": [number]}, {"M": {"deep": {"L": [n(number)]}}}):
        with refused("ValidationException"):
            put(dynamodb, table, key(1) | {"n": value})
    assert table.items() == []


@pytest.mark.parametrize(
    "value",
    [
        {}, {"S": "a", "N": "1"}, {"NULL": False},
        {"SS": []}, {"NS": []}, {"BS": []},
        {"SS": ["a", "a"]}, {"NS": ["1", "1.0"]}, {"BS": [b"a", b"a"]},
        {"L": [{}]}, {"M": {"x": {"SS": []}}},
    ],
    ids=[
        "no type", "two types", "NULL false", "no strings", "no numbers", "no bytes", "a string twice",
        "a number twice", "bytes twice", "no type in a list", "an empty set in a map",
    ],
)
def test_a_value_that_is_none_is_refused(dynamodb: Any, table: SimulatedTable, value: Any) -> None:
    with refused("ValidationException"):
        put(dynamodb, table, key(1) | {"a": value})
    assert table.items() == []


@pytest.mark.parametrize(
    "value",
    [{"X": "a"}, {"S": 1}, {"N": 1}, {"BOOL": "true"}, {"L": {}}, {"M": []}, {"B": "no Base64!"}, "text", None],
    ids=str,
)
def test_a_value_that_is_no_json_of_a_value_is_refused(sim: StreamSim, table: SimulatedTable, value: Any) -> None:
    body = json.dumps({"TableName": table.name, "Item": key(1) | {"a": value}}).encode()
    answer = post(sim, DYNAMODB, "PutItem", body)
    assert answer.status == 400
    assert answer.json["__type"].rsplit("#")[-1] in ("SerializationException", "ValidationException")
    assert table.items() == []


def _nested(levels: int) -> Item:
    value: Item = {"L": []}
    for _ in range(levels - 1):
        value = {"M": {"l": value}} if "L" in value else {"L": [value]}
    return value


def test_values_nest_to_32_levels(dynamodb: Any, table: SimulatedTable) -> None:
    item = key(1) | {"a": _nested(31)}
    put(dynamodb, table, item)
    assert get(dynamodb, table, key(1)) == item
    with refused("ValidationException"):
        put(dynamodb, table, key(2) | {"a": _nested(34)})
    with refused("ValidationException", "SerializationException"):
        put(dynamodb, table, key(2) | {"a": _nested(200)})


def test_an_item_has_400_kilobytes_with_its_names(dynamodb: Any, table: SimulatedTable) -> None:
    size = 400 * 1024 - len("pk" + "1" + "data")
    put(dynamodb, table, key(1) | {"data": s("x" * size)})
    with refused("ValidationException"):
        put(dynamodb, table, key(1) | {"data": s("x" * (size + 1))})
    with refused("ValidationException"):
        put(dynamodb, table, key(1) | {"data": s("é" * (size // 2 + 1))})
    with refused("ValidationException"):
        dynamodb.update_item(
            TableName=table.name, Key=key(1), UpdateExpression="SET b = :v", ExpressionAttributeValues={":v": s("x")}
        )


# --- Keys ---


@pytest.mark.parametrize(
    ("type", "one", "other"),
    [("S", {"S": "a"}, {"S": "A"}), ("N", {"N": "1"}, {"N": "-1"}), ("B", {"B": b"\x00\xff"}, {"B": b"\x00"}),
     ("S", {"S": "é"}, {"S": "e\u0301"})],
)
def test_keys_of_every_type_tell_items_apart(
    sim: StreamSim, dynamodb: Any, name: str, type: str, one: Item, other: Item
) -> None:
    table = sim.create_table(name, hash_type=type, range_type=type)
    items = [{"pk": pk, "sk": sk, "at": n(place)} for place, (pk, sk) in enumerate(
        [(one, one), (one, other), (other, one), (other, other)]
    )]
    for item in items:
        put(dynamodb, table, item)
    for item in items:
        assert get(dynamodb, table, {"pk": item["pk"], "sk": item["sk"]}) == item
    dynamodb.delete_item(TableName=name, Key={"pk": one, "sk": other})
    assert get(dynamodb, table, {"pk": one, "sk": other}) is None
    assert len(table.items()) == 3


def test_a_number_is_one_key_however_it_is_written(sim: StreamSim, dynamodb: Any, name: str) -> None:
    table = sim.create_table(name, hash_type="N")
    for version, text in enumerate(["1", "1.0", "1e0", "01"]):
        put(dynamodb, table, {"pk": n(text), "version": n(version)})
    assert table.items() == [{"pk": n(1), "version": n(3)}]
    assert get(dynamodb, table, {"pk": n("10e-1")}) == {"pk": n(1), "version": n(3)}


@pytest.mark.parametrize(
    "item",
    [
        {}, {"sk": n(1)}, {"pk": s("a")}, {"pk": n(1), "sk": n(1)}, {"pk": s("a"), "sk": s("1")},
        {"pk": s(""), "sk": n(1)}, {"pk": {"NULL": True}, "sk": n(1)}, {"pk": {"SS": ["a"]}, "sk": n(1)},
        {"pk": s("x" * 2049), "sk": n(1)}, {"pk": s("é" * 1025), "sk": n(1)},
    ],
    ids=[
        "empty", "no hash", "no range", "hash of another type", "range of another type", "empty hash", "NULL",
        "a set", "too long", "too long in bytes",
    ],
)
def test_an_item_without_the_tables_key_is_refused(sim: StreamSim, dynamodb: Any, name: str, item: Item) -> None:
    table = sim.create_table(name, range_type="N")
    with refused("ValidationException"):
        put(dynamodb, table, item | {"other": s("x")})
    for call in (dynamodb.get_item, dynamodb.delete_item, dynamodb.update_item):
        with refused("ValidationException"):
            call(TableName=name, Key=item)
    assert table.items() == []


def test_keys_are_as_long_as_they_may(sim: StreamSim, dynamodb: Any, name: str) -> None:
    table = sim.create_table(name, range_type="S")
    put(dynamodb, table, {"pk": s("x" * 2048), "sk": s("y" * 1024)})
    assert get(dynamodb, table, {"pk": s("x" * 2048), "sk": s("y" * 1024)}) is not None
    with refused("ValidationException"):
        put(dynamodb, table, {"pk": s("x"), "sk": s("y" * 1025)})
    with refused("ValidationException"):
        put(dynamodb, table, {"pk": s("x"), "sk": s("")})


def test_a_key_has_no_more_than_the_tables_attributes(dynamodb: Any, table: SimulatedTable) -> None:
    for call in (dynamodb.get_item, dynamodb.delete_item, dynamodb.update_item):
        with refused("ValidationException"):
            call(TableName=table.name, Key=key(1) | {"more": n(1)})


# --- Reading, and what writing gives back ---


def test_what_is_not_there_is_no_error(dynamodb: Any, table: SimulatedTable) -> None:
    assert "Item" not in dynamodb.get_item(TableName=table.name, Key=key(1))
    assert "Attributes" not in dynamodb.delete_item(TableName=table.name, Key=key(1), ReturnValues="ALL_OLD")


def test_a_projection_gives_what_it_names(dynamodb: Any, table: SimulatedTable) -> None:
    inner = {"m": {"M": {"x": n(3), "y": n(4)}}, "l": {"L": [n(5), n(6)]}}
    put(dynamodb, table, key(1) | {"a": n(1), "b.c": n(2)} | inner)
    found = get(
        dynamodb, table, key(1), ProjectionExpression="a, #b, m.x, l[1], absent",
        ExpressionAttributeNames={"#b": "b.c"},
    )
    assert found == {"a": n(1), "b.c": n(2), "m": {"M": {"x": n(3)}}, "l": {"L": [n(6)]}}


def test_a_write_gives_back_what_is_asked_for(dynamodb: Any, table: SimulatedTable) -> None:
    one, two = key(1) | {"a": n(1), "b": n(1)}, key(1) | {"a": n(2), "b": n(1)}
    assert "Attributes" not in put(dynamodb, table, one, ReturnValues="ALL_OLD")
    assert "Attributes" not in put(dynamodb, table, one, ReturnValues="NONE")
    assert put(dynamodb, table, two, ReturnValues="ALL_OLD")["Attributes"] == one

    def update(value: int, returns: str) -> Item:
        return dynamodb.update_item(
            TableName=table.name, Key=key(1), UpdateExpression="SET a = :v",
            ExpressionAttributeValues={":v": n(value)}, ReturnValues=returns,
        ).get("Attributes")

    assert update(3, "ALL_OLD") == two
    assert update(4, "ALL_NEW") == key(1) | {"a": n(4), "b": n(1)}
    assert update(5, "UPDATED_OLD") == {"a": n(4)}
    assert update(6, "UPDATED_NEW") == {"a": n(6)}
    assert update(7, "NONE") is None
    deleted = dynamodb.delete_item(TableName=table.name, Key=key(1), ReturnValues="ALL_OLD")
    assert deleted["Attributes"] == key(1) | {"a": n(7), "b": n(1)}


def test_what_can_not_be_given_back_is_refused(dynamodb: Any, table: SimulatedTable) -> None:
    for returns in ("ALL_NEW", "UPDATED_NEW", "NONSENSE"):
        with refused("ValidationException"):
            put(dynamodb, table, key(1), ReturnValues=returns)
        with refused("ValidationException"):
            dynamodb.delete_item(TableName=table.name, Key=key(1), ReturnValues=returns)
    assert table.items() == []


# --- Conditions ---

TESTED = key(1) | {
    "n": n(10), "s": s("hello"), "b": {"B": b"\x01\x02"}, "set": {"SS": ["x", "y"]}, "l": {"L": [n(1), s("two")]},
    "m": {"M": {"in": n(5), "d.t": s("dot")}}, "yes": {"BOOL": True}, "nil": {"NULL": True},
}

HOLDS = [
    "attribute_exists(pk)", "attribute_not_exists(absent)", "attribute_exists(m.#in)", "attribute_not_exists(m.absent)",
    "n = :ten", "n <> :two", "n > :two", "n >= :ten", "n <= :ten", ":two < n", "n BETWEEN :two AND :ten",
    "n IN (:two, :ten)", "s = :hello", "s <> :ten", "s > :he", "b = :bytes", "l[0] < :two", "m.#in = :five",
    "m.#dt = :dot", "yes = :true", "absent <> :two", "#set = :set",
    "begins_with(s, :he)", "contains(s, :ll)", "contains(#set, :x)", "contains(l, :text_two)", "size(s) = :five",
    "size(#set) = :two", "size(l) = :two", "size(b) = :two", "size(m) = :two",
    "attribute_type(n, :N)", "attribute_type(nil, :NULL)",
    "n = :ten AND s = :hello", "n = :two OR s = :hello", "NOT n = :two",
    "NOT (n = :two OR s = :he)",
    "n = :two AND n = :two OR s = :hello", "(n = :ten)", "((n = :ten) AND (NOT (s = :he)))",
    "n=:ten and s=:hello", "not n = :two or n = :two",
]
FAILS = [
    "attribute_not_exists(pk)", "attribute_exists(absent)", "n <> :ten", "n = :two", "n < :ten", "n > :hello",
    "absent = :ten", "absent < :ten", "n = absent", "n BETWEEN :two AND :five", "n IN (:two, :five)",
    "begins_with(s, :ll)", "contains(#set, :he)", "size(s) > :five", "attribute_type(n, :NULL)",
    "NOT n = :ten", "n = :ten AND s = :he", "n = :two OR s = :he", "NOT (n = :two OR s = :hello)",
    "n = :two AND (n = :two OR s = :hello)", "NOT n = :ten AND n = :ten", "l[2] = :two", "m.absent = :two",
]
VALUES = {
    ":two": n(2), ":five": n("5.0"), ":ten": n("10.0"), ":hello": s("hello"), ":he": s("he"), ":ll": s("ll"),
    ":x": s("x"), ":text_two": s("two"), ":bytes": {"B": b"\x01\x02"}, ":dot": s("dot"), ":true": {"BOOL": True},
    ":N": s("N"),
    ":NULL": s("NULL"), ":set": {"SS": ["y", "x"]},
}
PLACEHOLDERS = {"#in": "in", "#dt": "d.t", "#set": "set"}


def used(expression: str) -> dict[str, Any]:
    """The names and values that an expression uses: one that it doesn't use would be refused."""
    words = set("".join(c if c.isalnum() or c in ":#_" else " " for c in expression).split())
    names = {name: real for name, real in PLACEHOLDERS.items() if name in words}
    values = {name: value for name, value in VALUES.items() if name in words}
    return ({"ExpressionAttributeNames": names} if names else {}) | (
        {"ExpressionAttributeValues": values} if values else {}
    )


@pytest.mark.parametrize("condition", HOLDS)
def test_a_condition_holds(dynamodb: Any, table: SimulatedTable, condition: str) -> None:
    table.put(TESTED)
    dynamodb.delete_item(TableName=table.name, Key=key(1), ConditionExpression=condition, **used(condition))
    assert table.items() == []


@pytest.mark.parametrize("condition", FAILS)
def test_a_condition_fails(dynamodb: Any, table: SimulatedTable, condition: str) -> None:
    table.put(TESTED)
    with refused("ConditionalCheckFailedException"):
        dynamodb.delete_item(TableName=table.name, Key=key(1), ConditionExpression=condition, **used(condition))
    assert alike(table.items()[0]) == alike(TESTED)


@pytest.mark.parametrize(
    "condition",
    ["", "n =", "= :ten", "n = :ten AND", "(n = :ten", "n = :ten)", "nonsense(n)", "n == :ten", "n = :unknown",
     "#unknown = :ten", "begins_with(n)", "n BETWEEN :two", "size = :ten", "n = 10", "attribute_exists(:ten)"],
)
def test_a_condition_that_is_none_is_refused(dynamodb: Any, table: SimulatedTable, condition: str) -> None:
    with refused("ValidationException"):
        dynamodb.put_item(TableName=table.name, Item=TESTED, ConditionExpression=condition, **used(condition))
    assert table.items() == []


def test_names_and_values_that_are_not_used_are_refused(dynamodb: Any, table: SimulatedTable) -> None:
    for more in (
        {"ExpressionAttributeValues": {":unused": n(1)}}, {"ExpressionAttributeNames": {"#unused": "a"}},
    ):
        with refused("ValidationException"):
            put(dynamodb, table, key(1), ConditionExpression="attribute_not_exists(pk)", **more)
        with refused("ValidationException"):
            put(dynamodb, table, key(1), **more)
    assert table.items() == []


def test_every_write_can_have_a_condition(dynamodb: Any, table: SimulatedTable) -> None:
    there = {"ConditionExpression": "attribute_exists(pk)"}
    not_there = {"ConditionExpression": "attribute_not_exists(pk)"}
    with refused("ConditionalCheckFailedException"):
        put(dynamodb, table, key(1), **there)
    with refused("ConditionalCheckFailedException"):
        dynamodb.delete_item(TableName=table.name, Key=key(1), **there)
    with refused("ConditionalCheckFailedException"):
        dynamodb.update_item(TableName=table.name, Key=key(1), **there)
    put(dynamodb, table, key(1), **not_there)
    with refused("ConditionalCheckFailedException"):
        put(dynamodb, table, key(1) | {"a": n(1)}, **not_there)
    assert table.items() == [key(1)]


# --- Updates ---

UPDATED = key(1) | {
    "n": n(10), "s": s("hello"), "set": {"SS": ["x", "y"]}, "nums": {"NS": ["1", "2"]}, "l": {"L": [n(1), n(2), n(3)]},
    "m": {"M": {"in": n(5), "d.t": s("dot")}},
}


@pytest.mark.parametrize(
    ("update", "changes"),
    [
        ("SET a = :two", {"a": n(2)}),
        ("SET n = :two, a = :hello", {"n": n(2), "a": s("hello")}),
        ("SET n = n + :two", {"n": n(12)}),
        ("SET n = n - :half", {"n": n("9.5")}),
        ("SET n = :two - n", {"n": n(-8)}),
        ("SET a = s", {"a": s("hello")}),
        ("SET n = :two, a = n", {"n": n(2), "a": n(10)}),
        ("SET a = if_not_exists(a, :two)", {"a": n(2)}),
        ("SET n = if_not_exists(n, :two)", {}),
        ("SET n = if_not_exists(n, :two) + :two", {"n": n(12)}),
        ("SET l = list_append(l, :list)", {"l": {"L": [n(1), n(2), n(3), s("new")]}}),
        ("SET l = list_append(:list, l)", {"l": {"L": [s("new"), n(1), n(2), n(3)]}}),
        ("SET l[1] = :hello", {"l": {"L": [n(1), s("hello"), n(3)]}}),
        ("SET l[9] = :hello", {"l": {"L": [n(1), n(2), n(3), s("hello")]}}),
        ("SET m.#in = :two", {"m": {"M": {"in": n(2), "d.t": s("dot")}}}),
        ("SET m.more = m.#dt", {"m": {"M": {"in": n(5), "d.t": s("dot"), "more": s("dot")}}}),
        ("REMOVE s", {"s": None}),
        ("REMOVE absent", {}),
        ("REMOVE s, n", {"s": None, "n": None}),
        ("REMOVE l[0], l[2]", {"l": {"L": [n(2)]}}),
        ("REMOVE m.#dt", {"m": {"M": {"in": n(5)}}}),
        ("ADD n :two", {"n": n(12)}),
        ("ADD a :two", {"a": n(2)}),
        ("ADD #set :strings", {"set": {"SS": ["x", "y", "z"]}}),
        ("ADD nums :numbers", {"nums": {"NS": ["1", "2", "3"]}}),
        ("ADD a :strings", {"a": {"SS": ["y", "z"]}}),
        ("DELETE #set :strings", {"set": {"SS": ["x"]}}),
        ("DELETE #set :both", {"set": None}),
        ("SET a = :two REMOVE s ADD n :two DELETE #set :strings",
         {"a": n(2), "s": None, "n": n(12), "set": {"SS": ["x"]}}),
        ("remove s set a = :two", {"a": n(2), "s": None}),
    ],
)
def test_an_update_changes_what_it_says(
    dynamodb: Any, table: SimulatedTable, update: str, changes: dict[str, Any]
) -> None:
    table.put(UPDATED)
    dynamodb.update_item(TableName=table.name, Key=key(1), UpdateExpression=update, **used_by_update(update))
    wanted = {name: value for name, value in (UPDATED | changes).items() if value is not None}
    assert [alike(item) for item in table.items()] == [alike(wanted)]


def used_by_update(update: str) -> dict[str, Any]:
    more = used(update)
    others = {
        ":half": n("0.5"), ":list": {"L": [s("new")]}, ":strings": {"SS": ["y", "z"]}, ":both": {"SS": ["x", "y"]},
        ":numbers": {"NS": ["2.0", "3"]}, ":big": n("9" * 38), ":bignum": n("9.9E125"),
    }
    words = update.replace(",", " ").replace("(", " ").replace(")", " ").split()
    values = {name: value for name, value in others.items() if name in words}
    if values:
        more["ExpressionAttributeValues"] = more.get("ExpressionAttributeValues", {}) | values
    return more


def test_sums_are_exact(dynamodb: Any, table: SimulatedTable) -> None:
    table.put(key(1) | {"a": n("0.1"), "b": n("1" + "0" * 37), "c": n("9" * 38), "d": n("1E-130")})
    dynamodb.update_item(
        TableName=table.name, Key=key(1),
        UpdateExpression="SET a = a + :fifth, b = b + :one, c = c + :one, d = d - :tiny",
        ExpressionAttributeValues={":fifth": n("0.2"), ":one": n(1), ":tiny": n("1E-130")},
    )
    [item] = table.items()
    assert {name: Decimal(item[name]["N"]) for name in "abcd"} == {
        "a": Decimal("0.3"), "b": Decimal("1" + "0" * 36 + "1"), "c": Decimal("1E38"), "d": Decimal(0),
    }


@pytest.mark.parametrize(
    "update",
    ["", "SET", "SET a", "SET a =", "SET a = :unknown", "SET #unknown = :two", "a = :two", "SET pk = :hello",
     "REMOVE pk", "ADD pk :two", "SET a = :two, a = :hello", "SET m = :two, m.#in = :two", "SET a = :two SET b = :two",
     "SET a = absent", "SET a = absent + :two", "SET s = s + :two", "SET absent.deep = :two", "SET s.deep = :two",
     "SET n[0] = :two", "ADD s :two", "ADD n :hello", "ADD n :strings", "ADD #set :two", "DELETE n :two",
     "DELETE #set :two", "DELETE nums :strings", "SET l = list_append(l, :two)", "SET a = nonsense(n)",
     "SET n = n * :two", "REMOVE", "SET n = n + :bignum + :two", "ADD nums :strings"],
)
def test_an_update_that_is_none_is_refused(dynamodb: Any, table: SimulatedTable, update: str) -> None:
    table.put(UPDATED)
    with refused("ValidationException"):
        dynamodb.update_item(TableName=table.name, Key=key(1), UpdateExpression=update, **used_by_update(update))
    assert [alike(item) for item in table.items()] == [alike(UPDATED)]


def test_a_sum_beyond_the_limits_is_refused(dynamodb: Any, table: SimulatedTable) -> None:
    table.put(key(1) | {"a": n("9.9E125")})
    for update in ("SET a = a + a", "ADD a :v"):
        with refused("ValidationException"):
            dynamodb.update_item(
                TableName=table.name, Key=key(1), UpdateExpression=update,
                **({"ExpressionAttributeValues": {":v": n("9.9E125")}} if ":v" in update else {}),
            )


def test_an_update_makes_the_item_that_is_not_there(dynamodb: Any, table: SimulatedTable) -> None:
    table.update(key(1), a=n(1))
    dynamodb.update_item(TableName=table.name, Key=key(2))
    dynamodb.update_item(TableName=table.name, Key=key(3), UpdateExpression="REMOVE a")
    assert sorted(table.items(), key=lambda item: item["pk"]["S"]) == [key(1) | {"a": n(1)}, key(2), key(3)]


def test_an_update_with_a_condition_is_done_whole_or_not_at_all(dynamodb: Any, table: SimulatedTable) -> None:
    table.put(key(1) | {"a": n(1)})
    for wanted, version in ((1, 2), (1, 3), (2, 4)):
        arguments = {
            "TableName": table.name, "Key": key(1), "UpdateExpression": "SET a = :new, b = :new",
            "ConditionExpression": "a = :old", "ExpressionAttributeValues": {":old": n(wanted), ":new": n(version)},
        }
        if version == 3:
            with refused("ConditionalCheckFailedException"):
                dynamodb.update_item(**arguments)
        else:
            dynamodb.update_item(**arguments)
    assert table.items() == [key(1) | {"a": n(4), "b": n(4)}]


@pytest.mark.parametrize(
    "wrong",
    [{"ReturnValues": "BOGUS"}, {"ReturnValues": 5}, {"ReturnConsumedCapacity": "BOGUS"},
     {"ReturnItemCollectionMetrics": "BOGUS"}, {"ReturnValuesOnConditionCheckFailure": "ALL_NEW"},
     {"ConditionExpression": 5}, {"UpdateExpression": {}}, {"ExpressionAttributeNames": []},
     {"Expected": {}}, {"AttributeUpdates": {}}, {"ConditionalOperator": "AND"}],
    ids=str,
)
def test_a_write_that_is_refused_has_no_effect(sim: StreamSim, table: SimulatedTable, wrong: dict[str, Any]) -> None:
    table.put(key(1))
    made = len(table.records())
    for operation, body in (
        ("PutItem", {"Item": key(2)}), ("DeleteItem", {"Key": key(1)}), ("UpdateItem", {"Key": key(3)})
    ):
        if "UpdateExpression" in wrong and operation != "UpdateItem":
            continue
        answer = post(sim, DYNAMODB, operation, {"TableName": table.name} | body | wrong)
        assert answer.status == 400, operation
        assert answer.json["__type"].endswith(("#ValidationException", "#SerializationException"))
        assert len(table.records()) == made, operation


def test_what_is_null_is_as_good_as_absent(sim: StreamSim, table: SimulatedTable) -> None:
    nothing = {"ConditionExpression": None, "ReturnValues": None, "Expected": None, "ExpressionAttributeNames": None}
    assert post(sim, DYNAMODB, "PutItem", {"TableName": table.name, "Item": key(1)} | nothing).status == 200
    answer = post(sim, DYNAMODB, "Scan", {"TableName": table.name, "Limit": None, "ExclusiveStartKey": None})
    assert answer.json["Count"] == 1


@pytest.mark.parametrize(
    ("operation", "wrong"),
    [("Scan", {"FilterExpression": 7}), ("Scan", {"Select": "BOGUS"}), ("Scan", {"Select": 1}),
     ("Scan", {"Select": "SPECIFIC_ATTRIBUTES"}), ("Scan", {"Select": "COUNT", "ProjectionExpression": "pk"}),
     ("Scan", {"ScanFilter": {}}), ("Scan", {"AttributesToGet": ["pk"]}), ("Scan", {"Limit": "1"}),
     ("Scan", {"ConsistentRead": "yes"}), ("Scan", {"Segment": "0", "TotalSegments": 1}),
     ("Scan", {"ConditionalOperator": "OR"}), ("Scan", {"KeyConditions": {}}),
     ("GetItem", {"AttributesToGet": ["pk"]}), ("GetItem", {"ProjectionExpression": []}),
     ("GetItem", {"ConsistentRead": 1})],
    ids=str,
)
def test_a_read_with_a_member_that_is_none_is_refused(
    sim: StreamSim, table: SimulatedTable, operation: str, wrong: dict[str, Any]
) -> None:
    asked = {"TableName": table.name} | ({"Key": key(1)} if operation == "GetItem" else {})
    assert post(sim, DYNAMODB, operation, asked).status == 200
    answer = post(sim, DYNAMODB, operation, asked | wrong)
    assert answer.status == 400
    assert answer.json["__type"].endswith(("#ValidationException", "#SerializationException"))


def test_a_condition_that_fails_shows_the_item_to_who_asks_for_it(
    sim: StreamSim, dynamodb: Any, table: SimulatedTable
) -> None:
    table.put(key(1) | {"n": n(1)})
    calls = {
        "PutItem": {"Item": key(1)}, "DeleteItem": {"Key": key(1)},
        "UpdateItem": {"Key": key(1), "UpdateExpression": "REMOVE n"},
    }
    for operation, body in calls.items():
        asked = {"TableName": table.name, "ConditionExpression": "attribute_not_exists(pk)"} | body
        answer = post(sim, DYNAMODB, operation, asked)
        assert answer.json["__type"].endswith("#ConditionalCheckFailedException") and "Item" not in answer.json
        answer = post(sim, DYNAMODB, operation, asked | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
        assert answer.json["Item"] == key(1) | {"n": n(1)}
