"""What each command does. The server has looked at session, user and fail point before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from .collection import Collection, Locked, Outcome, write_conflict
from .errors import CommandError
from .evaluation import Filter, piped, projected
from .sessions import Transaction, session_key
from .values import MISSING, Document, decode, encode, key_of, parts, values_at
from .wire import Request

if TYPE_CHECKING:
    from .server import Connection, Server

T = TypeVar("T")


@dataclass
class Call:
    """A command with all that it may use."""

    server: Server
    connection: Connection
    request: Request
    transaction: Transaction | None = None
    done: dict[int, Outcome] | None = None  # the statements of a retryable write

    @property
    def body(self) -> Document:
        return self.request.body

    @property
    def namespace(self) -> str:
        name = self.body[self.request.name]
        if not isinstance(name, str) or not name:
            raise CommandError(73, f"collection name has invalid type or is empty: {name!r}")
        return f"{self.request.database}.{name}"

    def collection(self, namespace: str | None = None, *, create: bool = False) -> Collection:
        storage = self.server.storage
        found = (storage.created if create else storage.collection)(namespace or self.namespace)
        return self.transaction.face(found) if self.transaction else found

    async def attempt(self, body: Callable[[], T]) -> T:
        """Does `body`; what a transaction holds is waited for, or inside of a transaction a conflict."""
        limit = self.body.get("maxTimeMS", 0)
        end = time.monotonic() + limit / 1000 if limit else float("inf")
        while True:
            try:
                return body()
            except Locked as locked:
                if self.transaction and locked.holder.remaining:
                    raise write_conflict() from None
                patience = min(locked.holder.remaining, end - time.monotonic())
                try:
                    await asyncio.wait_for(locked.holder.ended.wait(), patience)
                except asyncio.TimeoutError:
                    if time.monotonic() >= end:
                        raise CommandError(50, "operation exceeded time limit") from None
                    locked.holder.abort()

    def refuse(self, *names: str) -> None:
        if here := [name for name in names if self.body.get(name)]:
            raise CommandError(238, f"this stand-in has no {', '.join(here)} of {self.request.name}")


@dataclass(frozen=True)
class Command:
    act: Callable[[Call], Awaitable[Document]]
    writes: bool
    in_transaction: bool
    before_login: bool


COMMANDS: dict[str, Command] = {}
Act = Callable[[Call], Awaitable[Document]]


def command(*names: str, writes: bool = False, in_transaction: bool = False, before_login: bool = False) -> Callable[
    [Act], Act
]:
    def register(act: Act) -> Act:
        for name in names:
            COMMANDS[name] = Command(act, writes, in_transaction, before_login)
        return act

    return register


# --- The server itself ---


@command("hello", "isMaster", "ismaster", before_login=True)
async def _hello(call: Call) -> Document:
    return call.server.hello(call.connection, call.request)


@command("ping", before_login=True)
async def _ping(call: Call) -> Document:
    return {}


@command("buildInfo", "buildinfo", before_login=True)
async def _build_info(call: Call) -> Document:
    return {"version": "6.0.0", "versionArray": [6, 0, 0, 0], "gitVersion": "shake-mongo-standin", "bits": 64,
            "maxBsonObjectSize": 16 * 1024 * 1024, "modules": []}


@command("connectionStatus", before_login=True)
async def _connection_status(call: Call) -> Document:
    user = call.connection.user
    users = [{"user": user.name, "db": "admin"}] if user else []
    roles = [{"role": "readWriteAnyDatabase" if user.may_write else "readAnyDatabase", "db": "admin"}] if user else []
    return {"authInfo": {"authenticatedUsers": users, "authenticatedUserRoles": roles}}


@command("saslStart", before_login=True)
async def _sasl_start(call: Call) -> Document:
    return call.connection.begin_login(call.server.users if call.request.database == "admin" else {}, call.body)


@command("saslContinue", before_login=True)
async def _sasl_continue(call: Call) -> Document:
    return call.connection.go_on_login(call.body)


@command("logout", before_login=True)
async def _logout(call: Call) -> Document:
    call.connection.user = None
    return {}


@command("configureFailPoint")
async def _configure_fail_point(call: Call) -> Document:
    if call.request.database != "admin":
        raise CommandError(13, "configureFailPoint may only be run against the admin database.")
    return {"count": call.server.fail_point.configure(call.body)}


# --- Sessions ---


@command("startSession")
async def _start_session(call: Call) -> Document:
    return {"id": call.server.new_session(), "timeoutMinutes": 30}


@command("endSessions", "killSessions", "refreshSessions", before_login=True)
async def _end_sessions(call: Call) -> Document:
    if call.request.name != "refreshSessions":
        for identifier in call.body[call.request.name]:
            session = call.server.storage.sessions.get(session_key(identifier))
            if session and session.transaction:
                session.transaction.abort()
    return {}


@command("commitTransaction", in_transaction=True, before_login=True)
async def _commit(call: Call) -> Document:
    transaction = _inside(call)
    if transaction.state == "open":
        transaction.commit()
    return {}


@command("abortTransaction", in_transaction=True, before_login=True)
async def _abort(call: Call) -> Document:
    _inside(call).abort()
    return {}


def _inside(call: Call) -> Transaction:
    if not call.transaction:
        raise CommandError(72, f"{call.request.name} must be run within a transaction")
    return call.transaction


# --- Writes ---


async def _write(call: Call, statements: list[bytes], apply: Callable[[Collection, bytes], Outcome]) -> tuple[
    dict[int, Outcome], Document
]:
    """Each statement in its turn; one that a retryable write has done before is not done again."""
    most = call.server.options.max_batch
    if not 1 <= len(statements) <= most:
        raise CommandError(
            16, f"Write batch sizes must be between 1 and {most}. Got {len(statements)} operations.")
    outcomes: dict[int, Outcome] = {}
    errors: list[Document] = []
    retried: list[int] = []
    numbers = call.body.get("stmtIds") or range(call.body.get("stmtId", 0), len(statements) + call.body.get("stmtId", 0))
    for index, (number, statement) in enumerate(zip(numbers, statements, strict=True)):
        if call.done is not None and number in call.done:
            outcomes[index] = call.done[number]
            retried.append(number)
            continue
        try:
            outcomes[index] = await call.attempt(lambda: apply(call.collection(create=True), statement))
        except CommandError as error:
            if error.code == 50 or call.transaction and error.labels:
                raise  # these fail the whole command
            errors.append(error.write_error(index))
            if call.body.get("ordered", True) or call.transaction:
                break
        else:
            if call.done is not None:
                call.done[number] = outcomes[index]
        if index % 100 == 99:
            await asyncio.sleep(0)  # others, and the word that ends this server
    reply: Document = {"writeErrors": errors} if errors else {}
    if errors and call.transaction:
        call.transaction.abort()
    if retried:
        reply["retriedStmtIds"] = retried
    return outcomes, reply


@command("insert", writes=True, in_transaction=True)
async def _insert(call: Call) -> Document:
    def apply(collection: Collection, raw: bytes) -> Outcome:
        collection.insert(raw)
        return Outcome(matched=1)

    outcomes, reply = await _write(call, call.request.documents("documents"), apply)
    return {"n": len(outcomes)} | reply


@command("update", writes=True, in_transaction=True)
async def _update(call: Call) -> Document:
    call.refuse("let")

    def apply(collection: Collection, raw: bytes) -> Outcome:
        statement = parts(raw)
        update = statement["u"]
        if isinstance(update, list):
            raise CommandError(238, "this stand-in has no update by a pipeline")
        _refuse(statement, "arrayFilters", "collation", "sort", "c")
        multi = bool(statement.get("multi"))
        if multi and call.done is not None:
            raise CommandError(72, "Cannot use (or request) retryable writes with multi=true")
        return collection.update(
            Filter(decode(statement["q"].raw)), update.raw, multi=multi, upsert=bool(statement.get("upsert")))

    outcomes, reply = await _write(call, call.request.documents("updates"), apply)
    upserted = [{"index": index, "_id": each.upserted} for index, each in outcomes.items() if each.is_upsert]
    return {
        "n": sum(each.matched + each.is_upsert for each in outcomes.values()),
        "nModified": sum(each.modified for each in outcomes.values()),
    } | ({"upserted": upserted} if upserted else {}) | reply


@command("delete", writes=True, in_transaction=True)
async def _delete(call: Call) -> Document:
    def apply(collection: Collection, raw: bytes) -> Outcome:
        statement = parts(raw)
        _refuse(statement, "collation")
        if not statement.get("limit") and call.done is not None:
            raise CommandError(72, "Cannot use (or request) retryable writes with limit=0")
        return Outcome(matched=collection.delete(Filter(decode(statement["q"].raw)), limit=int(statement["limit"])))

    outcomes, reply = await _write(call, call.request.documents("deletes"), apply)
    return {"n": sum(each.matched for each in outcomes.values())} | reply


def _refuse(statement: Any, *names: str) -> None:
    if here := [name for name in names if statement.get(name)]:
        raise CommandError(238, f"this stand-in has no {', '.join(here)}")


# --- Reads ---


@command("find", in_transaction=True)
async def _find(call: Call) -> Document:
    call.refuse("collation", "tailable", "let", "min", "max")
    body = call.body
    limit = int(body.get("limit", 0))
    found = call.collection().find(
        Filter(body.get("filter", {})), body.get("sort", {}), int(body.get("skip", 0)), abs(limit))
    if body.get("projection"):
        found = [encode(document) for document in projected([decode(raw) for raw in found], body["projection"])]
    return call.server.cursors.first(
        call.namespace, found, body.get("batchSize"), single=bool(body.get("singleBatch")) or limit < 0)


@command("getMore", in_transaction=True)
async def _get_more(call: Call) -> Document:
    namespace = f"{call.request.database}.{call.body['collection']}"
    return call.server.cursors.more(call.body["getMore"], namespace, call.body.get("batchSize"))


@command("killCursors", in_transaction=True)
async def _kill_cursors(call: Call) -> Document:
    killed, unknown = call.server.cursors.kill(call.body["cursors"])
    return {"cursorsKilled": killed, "cursorsNotFound": unknown, "cursorsAlive": [], "cursorsUnknown": []}


@command("aggregate", in_transaction=True)
async def _aggregate(call: Call) -> Document:
    call.refuse("collation", "let", "explain")
    pipeline = list(call.body["pipeline"])
    first = Filter(pipeline.pop(0)["$match"] if pipeline and "$match" in pipeline[0] else {})
    found = call.collection().find(first, {})
    if pipeline:
        found = [encode(document) for document in piped([decode(raw) for raw in found], pipeline)]
    return call.server.cursors.first(call.namespace, found, call.body.get("cursor", {}).get("batchSize"))


@command("count")
async def _count(call: Call) -> Document:
    collection, filter = call.collection(), Filter(call.body.get("query") or {})
    found = sum(1 for _ in collection.matching(filter)) if filter.specification else len(collection)
    found = max(0, found - int(call.body.get("skip", 0)))
    return {"n": min(found, int(call.body.get("limit", 0))) if call.body.get("limit") else found}


@command("distinct", in_transaction=True)
async def _distinct(call: Call) -> Document:
    found: dict[Any, Any] = {}
    for raw in call.collection().find(Filter(call.body.get("query") or {}), {}):
        for value in values_at(decode(raw), call.body["key"].split(".")):
            for each in value if isinstance(value, list) else [value]:
                if each is not MISSING:
                    found.setdefault(key_of(each), each)
    return {"values": list(found.values())}


# --- Collections and indexes ---


def _existing(call: Call, namespace: str | None = None) -> Collection:
    namespace = namespace or call.namespace
    if namespace not in call.server.storage.collections:
        raise CommandError(26, f"ns does not exist: {namespace}")
    return call.server.storage.collections[namespace]


@command("listDatabases")
async def _list_databases(call: Call) -> Document:
    storage = call.server.storage
    databases = [{"name": name, "sizeOnDisk": 0, "empty": not any(map(len, storage.of(name).values()))}
                 for name in storage.databases()]
    filter = Filter(call.body.get("filter", {}))
    return {"databases": [each for each in databases if filter.matches(each)], "totalSize": 0}


@command("dropDatabase", writes=True)
async def _drop_database(call: Call) -> Document:
    for name in call.server.storage.of(call.request.database):
        await _without_transactions(call, f"{call.request.database}.{name}")
        call.server.storage.collections.pop(f"{call.request.database}.{name}", None)
    return {"dropped": call.request.database}


@command("listCollections")
async def _list_collections(call: Call) -> Document:
    filter = Filter(call.body.get("filter", {}))
    found = [
        {"name": name, "type": "collection", "options": collection.options, "info": {"readOnly": False},
         "idIndex": collection.index_specifications()[0]}
        for name, collection in call.server.storage.of(call.request.database).items()
    ]
    only = ("name", "type") if call.body.get("nameOnly") else ("name", "type", "options", "info", "idIndex")
    raw = [encode({name: each[name] for name in only}) for each in found if filter.matches(each)]
    return call.server.cursors.first(
        f"{call.request.database}.$cmd.listCollections", raw, call.body.get("cursor", {}).get("batchSize"))


@command("create", writes=True, in_transaction=True)
async def _create(call: Call) -> Document:
    call.refuse("viewOn", "timeseries", "collation", "validationLevel", "validationAction")
    if call.namespace in call.server.storage.collections:
        raise CommandError(48, f"Collection {call.namespace} already exists.")
    known = ("capped", "size", "max", "storageEngine", "validator")
    call.server.storage.created(call.namespace).options = {
        name: call.body[name] for name in known if name in call.body}
    return {}


@command("drop", writes=True)
async def _drop(call: Call) -> Document:
    if call.namespace not in call.server.storage.collections:
        raise CommandError(26, "ns not found")
    await _without_transactions(call, call.namespace)
    collection = call.server.storage.collections.pop(call.namespace)
    return {"nIndexesWas": len(collection.index_specifications()), "ns": call.namespace}


@command("renameCollection", writes=True)
async def _rename(call: Call) -> Document:
    if call.request.database != "admin":
        raise CommandError(13, "renameCollection may only be run against the admin database.")
    source, target = call.body["renameCollection"], call.body["to"]
    collections = call.server.storage.collections
    if source not in collections:
        raise CommandError(26, f"Source collection {source} does not exist")
    if target in collections and not call.body.get("dropTarget"):
        raise CommandError(48, "target namespace exists")
    await _without_transactions(call, source)
    await _without_transactions(call, target)
    moved = collections.pop(source)
    moved.namespace = target
    collections[target] = moved
    return {}


@command("listIndexes")
async def _list_indexes(call: Call) -> Document:
    raw = [encode(specification) for specification in _existing(call).index_specifications()]
    return call.server.cursors.first(call.namespace, raw, call.body.get("cursor", {}).get("batchSize"))


@command("createIndexes", writes=True, in_transaction=True)
async def _create_indexes(call: Call) -> Document:
    is_new = call.namespace not in call.server.storage.collections
    collection = call.server.storage.created(call.namespace)
    await _without_transactions(call, call.namespace)
    before = len(collection.index_specifications())
    for specification in call.body["indexes"]:
        if not specification.get("key") or not specification.get("name"):
            raise CommandError(67, "an index has a key and a name")
        if unknown := [kind for kind in specification["key"].values() if kind not in (1, -1, "hashed")]:
            raise CommandError(238, f"this stand-in has no index of kind {unknown[0]!r}")
        if "collation" in specification:
            raise CommandError(238, "this stand-in has no collation of an index")
        collection.create_index(specification)
    after = len(collection.index_specifications())
    note = {} if after > before else {"note": "all indexes already exist"}
    return {"numIndexesBefore": before, "numIndexesAfter": after, "createdCollectionAutomatically": is_new} | note


@command("dropIndexes", writes=True)
async def _drop_indexes(call: Call) -> Document:
    collection = _existing(call)
    await _without_transactions(call, call.namespace)
    before = len(collection.index_specifications())
    wanted = call.body["index"]
    if wanted == "*":
        names = list(collection.indexes)
    elif isinstance(wanted, dict):
        names = [name for name, index in collection.indexes.items() if list(index.key.items()) == list(wanted.items())]
        if not names:
            raise CommandError(27, f"can't find index with key: {wanted}")
    else:
        names = list(wanted) if isinstance(wanted, list) else [wanted]
    if "_id_" in names:
        raise CommandError(72, "cannot drop _id index")
    for name in names:
        collection.drop_index(name)
    return {"nIndexesWas": before}


async def _without_transactions(call: Call, namespace: str) -> None:
    """Waits until no transaction has used the collection; those that take too long are aborted."""

    def look() -> None:
        for session in call.server.storage.sessions.values():
            transaction = session.transaction
            if transaction and transaction is not call.transaction and transaction.touches(namespace):
                raise Locked(transaction)

    await call.attempt(look)
