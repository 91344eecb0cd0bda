"""The MongoDB stand-in, judged by PyMongo: what it answers is what PyMongo takes for a server's answer."""

from __future__ import annotations

import datetime
import pathlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp, encode
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from bson.son import SON
from pymongo import DeleteOne, InsertOne, MongoClient, ReplaceOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import (
    AutoReconnect, BulkWriteError, CursorNotFound, DocumentTooLarge, DuplicateKeyError, OperationFailure, WriteError,
)
from throwaway import MongoStandin

Start = Callable[..., tuple[MongoStandin, "MongoClient[Any]"]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a server with the given arguments; gives it and a client of it."""
    servers: list[MongoStandin] = []
    clients: list[MongoClient[Any]] = []

    def start(*arguments: str, **options: Any) -> tuple[MongoStandin, MongoClient[Any]]:
        servers.append(server := MongoStandin(*arguments))
        clients.append(client := MongoClient(server.url, serverSelectionTimeoutMS=5000, **options))
        return server, client

    yield start
    for client in clients:
        client.close()
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[MongoClient[Any]]:
    server = MongoStandin("--topology", "replica-set")
    client: MongoClient[Any] = MongoClient(server.url)
    yield client
    client.close()
    server.close()


@pytest.fixture
def items(shared: MongoClient[Any], request: pytest.FixtureRequest) -> Iterator[Collection[Any]]:
    collection = shared["shop"][request.node.name[:60]]
    yield collection
    shared.admin.command("configureFailPoint", "failCommand", mode="off")
    collection.drop()


def fail(client: MongoClient[Any], *commands: str, mode: Any = None, **data: Any) -> None:
    client.admin.command(
        "configureFailPoint", "failCommand", mode=mode or {"times": 1}, data={"failCommands": list(commands), **data})


# --- Documents ---


def test_every_type_comes_back_byte_for_byte(items: Collection[Any]) -> None:
    document = encode(SON([
        ("_id", "k"), ("int", 1), ("long", Int64(1)), ("double", 1.0), ("negative zero", -0.0),
        ("decimal", Decimal128("1.10")), ("38 digits", "1" * 38), ("exponent", Decimal128("1E-6176")),
        ("NaN", Decimal128("NaN")), ("bytes", b"\0\xff"), ("binary", Binary(b"x", 5)), ("uuid", Binary(b"u" * 16, 4)),
        ("z", {"b": 1, "a": 2}), ("a.b", {"$c": 1, "d.e": None}), ("ref", {"$id": 1, "$ref": "x", "more": True}),
        ("date", datetime.datetime(2026, 1, 2, 3, 4, 5, 678000)), ("regex", Regex("a.*", "i")), ("oid", ObjectId()),
        ("time", Timestamp(5, 6)), ("min", MinKey()), ("max", MaxKey()), ("list", [1, [2, {"x": "\0"}], []]),
        ("empty", ""), ("true", True), ("emoji", "\U0001f600"), ("", "an empty name"),
    ]))
    raw = items.with_options(codec_options=items.codec_options.with_options(document_class=RawBSONDocument))
    raw.insert_one(RawBSONDocument(document))
    assert raw.find_one({"_id": "k"}).raw == document
    raw.delete_one({"_id": "k"})
    raw.replace_one({"_id": "k"}, RawBSONDocument(document), upsert=True)
    assert [found.raw for found in raw.find({"long": 1})] == [document]
    raw.update_one({"_id": "k"}, {"$set": {"zzz": 1}})
    raw.update_one({"_id": "k"}, {"$unset": {"zzz": 1}})
    assert raw.find_one({"_id": "k"}).raw == document


def test_a_field_that_an_operator_sets_keeps_its_type_and_its_neighbours(items: Collection[Any]) -> None:
    items.insert_one({"_id": 1, "n": Int64(1), "d": Decimal128("2.50"), "b": Binary(b"x", 5)})
    items.update_one({"_id": 1}, {"$set": {"m": Decimal128("3.0"), "deep.map": SON([("z", 1), ("a", 2)])},
                                  "$inc": {"n": 1}, "$unset": {"b": ""}})
    found = items.find_one({"_id": 1})
    assert found == {"_id": 1, "n": 2, "d": Decimal128("2.50"), "m": Decimal128("3.0"), "deep": {"map": {"z": 1, "a": 2}}}
    assert isinstance(found["n"], Int64)
    assert list(found["deep"]["map"]) == ["z", "a"]
    assert list(found) == ["_id", "n", "d", "deep", "m"]


def test_numbers_are_equal_by_value_and_booleans_are_no_numbers(items: Collection[Any]) -> None:
    items.insert_many([{"_id": "int", "v": 1}, {"_id": "decimal", "v": Decimal128("1.0")}, {"_id": "true", "v": True},
                       {"_id": "map", "v": SON([("a", 1), ("b", 2)])}])
    found = lambda filter: {each["_id"] for each in items.find(filter)}  # noqa: E731
    assert found({"v": 1}) == {"int", "decimal"}
    assert found({"v": Decimal128("1")}) == {"int", "decimal"}
    assert found({"v": {"$gte": Decimal128("0.9"), "$lt": 2}}) == {"int", "decimal"}
    assert found({"v": True}) == {"true"}
    assert found({"v": {"$type": "bool"}}) == {"true"}
    assert found({"v": {"$type": "decimal"}}) == {"decimal"}
    assert found({"v": SON([("b", 2), ("a", 1)])}) == set()
    assert found({"v": SON([("a", 1), ("b", 2)])}) == {"map"}
    assert found({"$or": [{"v": True}, {"v.a": 1}]}) == {"true", "map"}
    items.create_index("v")
    assert found({"v": 1}) == {"int", "decimal"}
    assert found({"v": True}) == {"true"}


def test_a_document_above_16_mb_is_refused_by_the_server(items: Collection[Any]) -> None:
    with pytest.raises((DocumentTooLarge, WriteError)):
        items.insert_one({"_id": 1, "v": "x" * (16 * 1024 * 1024)})
    items.insert_one({"_id": 1, "v": "x" * (16 * 1024 * 1024 - 100)})
    with pytest.raises(WriteError, match="larger than"):
        items.update_one({"_id": 1}, {"$set": {"w": "x" * 100}})
    assert "w" not in items.find_one({"_id": 1})


def test_an_id_is_never_changed(items: Collection[Any]) -> None:
    items.insert_one({"_id": 1, "k": 1})
    for change in (lambda: items.replace_one({"k": 1}, {"_id": 2, "k": 1}),
                   lambda: items.update_one({"k": 1}, {"$set": {"_id": 2}})):
        with pytest.raises(WriteError) as refusal:
            change()
        assert refusal.value.code == 66
    items.replace_one({"k": 1}, {"k": 2})
    assert items.find_one() == {"_id": 1, "k": 2}


# --- Bulk writes and unique indexes ---


def test_a_duplicate_key_says_which_index_and_which_value(items: Collection[Any]) -> None:
    items.create_index([("pk", 1), ("sk", 1)], unique=True, name="key")
    items.insert_one({"_id": 1, "pk": "a", "sk": 1})
    with pytest.raises(DuplicateKeyError) as refusal:
        items.insert_one({"_id": 2, "pk": "a", "sk": 1.0})
    details = refusal.value.details
    assert details and details["code"] == 11000 and details["errmsg"].startswith("E11000 duplicate key error collection:")
    assert details["keyPattern"] == {"pk": 1, "sk": 1} and details["keyValue"] == {"pk": "a", "sk": 1.0}
    items.insert_one({"_id": 2, "pk": "a", "sk": 2})
    with pytest.raises(DuplicateKeyError):
        items.update_one({"_id": 2}, {"$set": {"sk": 1}})
    items.update_one({"_id": 1}, {"$set": {"sk": 3}})
    items.update_one({"_id": 2}, {"$set": {"sk": 1}})  # what was given up is free
    with pytest.raises(DuplicateKeyError):
        items.insert_one({"_id": 1})


@pytest.mark.parametrize("ordered", [False, True])
def test_a_bulk_write_tells_the_error_of_each_statement(items: Collection[Any], ordered: bool) -> None:
    items.create_index("k", unique=True)
    items.insert_one({"_id": 0, "k": "taken"})
    with pytest.raises(BulkWriteError) as refusal:
        items.bulk_write([
            InsertOne({"_id": 1, "k": "a"}), InsertOne({"_id": 2, "k": "taken"}), InsertOne({"_id": 3, "k": "b"}),
            InsertOne({"_id": 4, "k": "a"}), InsertOne({"_id": 5, "k": "c"}),
        ], ordered=ordered)
    errors = [(error["index"], error["code"]) for error in refusal.value.details["writeErrors"]]
    assert errors == ([(1, 11000)] if ordered else [(1, 11000), (3, 11000)])
    assert {each["_id"] for each in items.find()} == ({0, 1} if ordered else {0, 1, 3, 5})


def test_upserts_by_key_replace_insert_and_say_so(items: Collection[Any]) -> None:
    items.create_index("k", unique=True)
    result = items.bulk_write([
        ReplaceOne({"k": "a"}, {"k": "a", "v": 1}, upsert=True), ReplaceOne({"k": "a"}, {"k": "a", "v": 2}, upsert=True),
        ReplaceOne({"k": "a"}, {"k": "a", "v": 2}), UpdateOne({"_id": "b"}, {"$set": {"k": "b"}}, upsert=True),
        UpdateOne({"k": "c"}, {"$set": {"v": 3}, "$setOnInsert": {"new": True}}, upsert=True),
        UpdateOne({"k": "a"}, {"$setOnInsert": {"new": True}}, upsert=True), DeleteOne({"k": "b"}), DeleteOne({"k": "z"}),
    ], ordered=True)
    assert (result.matched_count, result.modified_count, result.deleted_count) == (3, 1, 1)
    assert list(result.upserted_ids) == [0, 3, 4] and result.upserted_ids[3] == "b"
    found = {each["k"]: {name: value for name, value in each.items() if name != "_id"} for each in items.find()}
    assert found == {"a": {"k": "a", "v": 2}, "c": {"k": "c", "new": True, "v": 3}}


def test_a_guard_in_the_filter_makes_an_older_upsert_a_duplicate(items: Collection[Any]) -> None:
    def write(sequence: str) -> None:
        items.replace_one({"_id": "k", "at": {"$lt": sequence}}, {"at": sequence}, upsert=True)

    write("2")
    write("3")
    with pytest.raises(DuplicateKeyError):
        write("1")
    assert items.find_one() == {"_id": "k", "at": "3"}


def test_an_upsert_among_100000_documents_looks_at_one(items: Collection[Any]) -> None:
    items.create_index("k", unique=True)

    def seconds(first: int, count: int) -> float:
        start = time.perf_counter()
        items.bulk_write([
            ReplaceOne({"k": f"{number}"}, {"k": f"{number}", "v": "x" * 20}, upsert=True)
            for number in range(first, first + count)
        ], ordered=False)
        return time.perf_counter() - start

    few = seconds(0, 2000)
    items.insert_many([{"k": f"{number}"} for number in range(2000, 100_000)])
    many = seconds(99_000, 2000)
    assert items.estimated_document_count() == 101_000
    assert many < few * 10, f"2,000 upserts took {few:.2f} s among few, {many:.2f} s among many"


# --- Reading ---


def test_a_cursor_gives_all_batch_by_batch_and_is_gone_when_killed(
    shared: MongoClient[Any], items: Collection[Any]
) -> None:
    items.insert_many([{"_id": number, "v": "x" * 1000, "n": -number} for number in range(1000)])
    assert [each["_id"] for each in items.find(batch_size=7)] == list(range(1000))
    found = items.find({"_id": {"$gte": 10}}, {"n": 1}).sort("n", 1).skip(5).limit(50)
    assert list(found) == [{"_id": number, "n": -number} for number in range(994, 944, -1)]
    assert items.find_one({"_id": 3}, {"_id": 0, "n": 1}) == {"n": -3}
    cursor = items.find(batch_size=2)
    next(cursor)
    shared["shop"].command("killCursors", items.name, cursors=[cursor.cursor_id])
    with pytest.raises(CursorNotFound):
        list(cursor)


def test_a_batch_is_no_larger_than_a_reply_may_be(items: Collection[Any]) -> None:
    items.insert_many([{"_id": number, "v": "x" * 5_000_000} for number in range(8)])
    reply = items.database.command("find", items.name, batchSize=1000)
    assert [each["_id"] for each in reply["cursor"]["firstBatch"]] == [0, 1, 2] and reply["cursor"]["id"]
    assert [each["_id"] for each in items.find(batch_size=1000)] == list(range(8))


def test_pipelines_and_counts(items: Collection[Any]) -> None:
    items.insert_many([{"_id": number, "kind": number % 3, "v": Decimal128(f"{number}.5")} for number in range(10)])
    assert items.count_documents({"kind": 1}) == 3
    assert items.estimated_document_count() == 10
    assert list(items.aggregate([{"$match": {"kind": 0}}, {"$count": "n"}])) == [{"n": 4}]
    assert list(items.aggregate([{"$match": {"kind": 7}}, {"$count": "n"}])) == []
    assert list(items.aggregate([{"$match": {"kind": 0}}, {"$sort": {"v": -1}}, {"$limit": 1}])) == [
        {"_id": 9, "kind": 0, "v": Decimal128("9.5")}]
    assert items.distinct("kind") == [0, 1, 2]


def test_what_it_cannot_do_is_refused_and_not_done_wrongly(items: Collection[Any]) -> None:
    items.insert_one({"_id": 1, "v": "x"})
    for refused in (lambda: items.update_one({"_id": 1}, [{"$set": {"v": 2}}]),
                    lambda: list(items.aggregate([{"$out": "elsewhere"}])),
                    lambda: items.find_one({"v": "X"}, collation={"locale": "en"}),
                    lambda: items.find_one({"$where": "true"})):
        with pytest.raises(OperationFailure) as refusal:
            refused()
        assert refusal.value.code == 238
    with pytest.raises(OperationFailure) as unknown:
        items.database.command("noSuchCommand")
    assert unknown.value.code == 59


# --- Collections and indexes ---


def test_a_collection_is_renamed_with_its_indexes(shared: MongoClient[Any], items: Collection[Any]) -> None:
    items.create_index([("k", 1)], unique=True, name="key")
    items.create_index([("kind", 1), ("n", -1)], partialFilterExpression={"kind": {"$exists": True}})
    items.insert_one({"k": 1})
    database = items.database
    with pytest.raises(OperationFailure) as there:
        database["other"].insert_one({})
        items.rename("other")
    assert there.value.code == 48
    items.rename("other", dropTarget=True)
    assert items.name not in database.list_collection_names()
    assert "other" in database.list_collection_names() and "shop" in shared.list_database_names()
    moved = database["other"]
    assert {name: (index["key"], index.get("unique")) for name, index in moved.index_information().items()} == {
        "_id_": ([("_id", 1)], None), "key": ([("k", 1)], True), "kind_1_n_-1": ([("kind", 1), ("n", -1)], None)}
    with pytest.raises(DuplicateKeyError):
        moved.insert_one({"k": 1})
    moved.drop_index("key")
    moved.insert_one({"k": 1})
    with pytest.raises(DuplicateKeyError):
        moved.create_index([("k", 1)], unique=True)
    with pytest.raises(OperationFailure) as conflict:
        moved.create_index([("k", 1)], name="kind_1_n_-1")
    assert conflict.value.code == 86
    moved.drop()
    assert "other" not in database.list_collection_names()
    assert list(moved.list_indexes()) == []


def test_a_sparse_index_leaves_out_what_has_not_the_field(items: Collection[Any]) -> None:
    items.create_index("k", unique=True, sparse=True)
    items.insert_many([{"_id": 1}, {"_id": 2}, {"_id": 3, "k": None}])
    with pytest.raises(DuplicateKeyError):
        items.insert_one({"_id": 4, "k": None})
    assert {each["_id"] for each in items.find({"k": None})} == {1, 2, 3}


# --- Transactions ---


def test_a_transaction_is_seen_as_a_whole_or_not_at_all(shared: MongoClient[Any], items: Collection[Any]) -> None:
    items.create_index("k", unique=True)
    items.insert_many([{"_id": 1, "k": 1}, {"_id": 2, "k": 2}])
    with shared.start_session() as session:
        session.start_transaction()
        items.update_one({"_id": 1}, {"$set": {"k": 10}}, session=session)
        items.delete_one({"_id": 2}, session=session)
        items.insert_one({"_id": 3, "k": 2}, session=session)
        assert sorted(each["k"] for each in items.find(session=session)) == [2, 10]
        assert items.find_one({"k": 1}, session=session) is None
        assert items.find_one({"k": 10}, session=session) == {"_id": 1, "k": 10}
        assert list(items.find()) == [{"_id": 1, "k": 1}, {"_id": 2, "k": 2}]
        session.commit_transaction()
        session.commit_transaction()  # sent again, it is the same commit
        assert list(items.find()) == [{"_id": 1, "k": 10}, {"_id": 3, "k": 2}]
        session.start_transaction()
        items.delete_many({}, session=session)
        session.abort_transaction()
    assert items.find_one({"k": 10}) == {"_id": 1, "k": 10} and items.count_documents({}) == 2


def test_an_error_ends_the_transaction(shared: MongoClient[Any], items: Collection[Any]) -> None:
    items.insert_one({"_id": 1})
    with shared.start_session() as session:
        session.start_transaction()
        items.insert_one({"_id": 2}, session=session)
        with pytest.raises(DuplicateKeyError):
            items.insert_one({"_id": 1}, session=session)
        with pytest.raises(OperationFailure) as gone:
            items.insert_one({"_id": 3}, session=session)
        assert gone.value.code == 251 and gone.value.has_error_label("TransientTransactionError")
    assert list(items.find()) == [{"_id": 1}]


def test_two_transactions_that_write_one_document_conflict(shared: MongoClient[Any], items: Collection[Any]) -> None:
    items.insert_one({"_id": 1, "n": 0})
    with shared.start_session() as first, shared.start_session() as second:
        first.start_transaction()
        second.start_transaction()
        items.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=first)
        with pytest.raises(OperationFailure) as conflict:
            items.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=second)
        assert conflict.value.code == 112 and conflict.value.has_error_label("TransientTransactionError")
        first.commit_transaction()
    assert items.find_one() == {"_id": 1, "n": 1}


def test_a_write_outside_waits_for_the_transaction(shared: MongoClient[Any], items: Collection[Any]) -> None:
    items.insert_one({"_id": 1, "n": 0})
    with shared.start_session() as session, ThreadPoolExecutor() as others:
        session.start_transaction()
        items.update_one({"_id": 1}, {"$set": {"n": 5}}, session=session)
        with pytest.raises(OperationFailure) as late:  # it does wait
            items.database.command("update", items.name, updates=[{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}}], maxTimeMS=50)
        assert late.value.code == 50
        waiting = others.submit(items.update_one, {"_id": 1}, {"$inc": {"n": 1}})
        session.commit_transaction()
        assert waiting.result(timeout=10).modified_count == 1
    assert items.find_one() == {"_id": 1, "n": 6}


def test_a_forgotten_transaction_is_aborted_when_it_is_too_old(start: Start) -> None:
    _, client = start("--topology", "replica-set", "--transaction-seconds", "0.05")
    items = client["shop"]["items"]
    items.insert_one({"_id": 1, "n": 0})
    with client.start_session() as session:
        session.start_transaction()
        items.update_one({"_id": 1}, {"$set": {"n": 5}}, session=session)
        items.update_one({"_id": 1}, {"$inc": {"n": 1}})
        with pytest.raises(OperationFailure) as gone:
            session.commit_transaction()
        assert gone.value.code == 251
    assert items.find_one() == {"_id": 1, "n": 1}


@pytest.mark.parametrize("topology", ["standalone", "replica-set", "sharded"])
def test_a_topology_is_what_its_greeting_says(start: Start, topology: str) -> None:
    _, client = start("--topology", topology)
    client.admin.command("ping")
    assert client.topology_description.topology_type_name == {
        "standalone": "Single", "replica-set": "ReplicaSetWithPrimary", "sharded": "Sharded"}[topology] \
        or topology == "standalone" and client.topology_description.has_writable_server()
    items = client["shop"]["items"]
    with client.start_session() as session:
        session.start_transaction()
        if topology == "standalone":
            with pytest.raises(OperationFailure, match="Transaction numbers are only allowed") as refusal:
                items.insert_one({"_id": 1}, session=session)
            assert refusal.value.code == 20
        else:
            items.insert_one({"_id": 1}, session=session)
            session.commit_transaction()
    assert items.count_documents({}) == (0 if topology == "standalone" else 1)


# --- Faults ---


@pytest.mark.parametrize("fault", [
    {"closeConnection": True}, {"closeConnectionAfter": True}, {"errorCode": 91},
    {"writeConcernError": {"code": 91, "errmsg": "shutting down"}},
])
def test_a_retried_write_is_done_exactly_once(
    shared: MongoClient[Any], items: Collection[Any], fault: dict[str, Any]
) -> None:
    items.insert_one({"_id": 1, "n": 0})
    fail(shared, "update", **fault)
    result = items.bulk_write([UpdateOne({"_id": 1}, {"$inc": {"n": 1}}), UpdateOne({"_id": 2}, {"$inc": {"n": 1}}, True)])
    assert (result.matched_count, result.modified_count, result.upserted_ids) == (1, 1, {1: 2})
    assert list(items.find()) == [{"_id": 1, "n": 1}, {"_id": 2, "n": 1}]
    assert shared.admin.command("configureFailPoint", "failCommand", mode="off")["count"] == 1


def test_a_write_error_of_any_number_changes_nothing(shared: MongoClient[Any], items: Collection[Any]) -> None:
    fail(shared, "update", writeErrorCode=54321, namespace=items.full_name)
    with pytest.raises(BulkWriteError) as refusal:
        items.bulk_write([UpdateOne({"_id": 1}, {"$inc": {"n": 1}}, True)])
    assert [(error["index"], error["code"]) for error in refusal.value.details["writeErrors"]] == [(0, 54321)]
    assert items.count_documents({}) == 0


def test_without_retryable_writes_the_lost_answer_is_an_error_after_the_effect(start: Start) -> None:
    _, client = start("--topology", "replica-set", retryWrites=False)
    items = client["shop"]["items"]
    fail(client, "insert", closeConnectionAfter=True)
    with pytest.raises(AutoReconnect):
        items.insert_one({"_id": 1})
    assert items.count_documents({}) == 1
    fail(client, "insert", closeConnection=True)
    with pytest.raises(AutoReconnect):
        items.insert_one({"_id": 2})
    assert items.count_documents({}) == 1


def test_more_writes_than_a_command_takes_are_split_by_the_driver_and_refused_otherwise(start: Start) -> None:
    _, client = start("--max-batch", "2")
    shop = client["shop"]
    assert client.admin.command("hello")["maxWriteBatchSize"] == 2
    fail(client, "insert", mode={"skip": 2}, errorCode=13)
    with pytest.raises((BulkWriteError, OperationFailure)):
        shop["items"].insert_many([{"_id": number} for number in range(5)], ordered=False)
    assert shop["items"].count_documents({}) == 4
    client.admin.command("configureFailPoint", "failCommand", mode="off")
    with pytest.raises(OperationFailure, match="between 1 and 2"):
        shop.command("insert", "items", documents=[{"_id": number} for number in range(10, 13)])


def test_an_answer_may_be_unreadable_after_the_effect(shared: MongoClient[Any], items: Collection[Any]) -> None:
    fail(shared, "insert", unreadable=True)
    answer = items.database.command(
        "insert", items.name, documents=[{"_id": 1}], codec_options=CodecOptions(unicode_decode_error_handler="replace"))
    assert answer["unreadable"] == {"text": "\ufffd\ufffd"}
    assert items.count_documents({}) == 1


def test_a_fail_point_skips_counts_labels_and_waits(shared: MongoClient[Any], items: Collection[Any]) -> None:
    fail(shared, "find", mode={"skip": 1}, errorCode=13, errorLabels=["Mine"])
    assert items.find_one() is None
    for _ in range(2):
        with pytest.raises(OperationFailure) as refusal:
            items.find_one()
        assert refusal.value.code == 13 and refusal.value.has_error_label("Mine")
    fail(shared, "find", blockConnection=True, blockTimeMS=60)
    began = time.monotonic()
    assert items.find_one() is None
    assert time.monotonic() - began >= 0.06
    fail(shared, "insert", writeConcernError={"code": 64, "errmsg": "waited too long", "errInfo": {"wtimeout": True}})
    with pytest.raises(OperationFailure) as late:
        items.insert_one({"_id": 1})
    assert late.value.code == 64 and items.count_documents({}) == 1
    with pytest.raises(OperationFailure):
        fail(shared, "find", errorCoed=1)


def test_a_server_that_restarts_keeps_what_it_holds_and_a_client_goes_on(start: Start) -> None:
    server, client = start("--topology", "replica-set")
    items = client["shop"]["items"]
    items.insert_one({"_id": 1})
    assert server.say("restart") == ""
    items.insert_one({"_id": 2})
    server.say("kill")
    server.say("start")
    items.insert_one({"_id": 3})
    assert items.count_documents({}) == 3
    with pytest.raises(RuntimeError, match="runs already"):
        server.say("start")
    with pytest.raises(RuntimeError, match="no command"):
        server.say("dance")


def test_a_server_with_a_file_holds_after_its_end_what_it_held(start: Start, tmp_path: pathlib.Path) -> None:
    arguments = ("--data", str(tmp_path / "data"), "--topology", "replica-set")
    server, client = start(*arguments)
    client["shop"]["items"].create_index("k", unique=True)
    client["shop"]["items"].insert_one({"_id": 1, "k": Decimal128("1.0")})
    client.close()
    assert server.close() == 0
    _, client = start(*arguments)
    items = client["shop"]["items"]
    assert items.find_one({"k": 1}) == {"_id": 1, "k": Decimal128("1.0")}
    with pytest.raises(DuplicateKeyError):
        items.insert_one({"k": 1})


# --- Who may ---


def test_only_who_has_the_password_comes_in_and_only_who_may_writes(start: Start) -> None:
    server, client = start("--user", "writer:a=,b", "--reader", "reader:secret")
    client["shop"]["items"].insert_one({"_id": 1})
    assert client.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"] == [{"user": "writer", "db": "admin"}]
    address = server.url.partition("@")[2]

    def other(login: str) -> Collection[Any]:
        stranger: MongoClient[Any] = MongoClient(f"mongodb://{login}{address}", serverSelectionTimeoutMS=5000)
        return stranger["shop"]["items"]

    reader = other("reader:secret@")
    assert reader.find_one() == {"_id": 1}
    with pytest.raises(OperationFailure) as refusal:
        reader.insert_one({"_id": 2})
    assert refusal.value.code == 13
    for login in ("writer:wrong@", "nobody:secret@"):
        with pytest.raises(OperationFailure) as wrong:
            other(login).find_one()
        assert wrong.value.code == 18
    with pytest.raises(OperationFailure) as elsewhere:
        MongoClient(f"mongodb://reader:secret@{address.partition('?')[0]}?authSource=shop")["shop"]["items"].find_one()
    assert elsewhere.value.code == 18
    with pytest.raises(OperationFailure) as nobody:
        MongoClient(f"mongodb://{address.partition('?')[0]}")["shop"]["items"].find_one()
    assert nobody.value.code == 13


def test_a_validator_refuses_documents_one_by_one(items: Collection[Any]) -> None:
    items.database.create_collection(items.name, validator={"a": {"$ne": "refused"}})
    with pytest.raises(BulkWriteError) as failure:
        items.bulk_write(
            [ReplaceOne({"_id": number}, {"a": "refused" if number == 1 else "x"}, upsert=True) for number in range(3)],
            ordered=False)
    assert [(error["index"], error["code"]) for error in failure.value.details["writeErrors"]] == [(1, 121)]
    assert items.count_documents({}) == 2
    with pytest.raises(WriteError):
        items.update_one({"_id": 0}, {"$set": {"a": "refused"}})
