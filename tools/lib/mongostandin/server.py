"""Connections, and what is looked at before a command is done: fail point, user, session."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import pathlib
import sys
import traceback
import uuid
from dataclasses import dataclass, field
from typing import Any

from bson import Int64, ObjectId, Timestamp
from bson.binary import Binary
from bson.errors import BSONError
from linecontrol import Refused

from .authentication import MECHANISM, Conversation, User
from .commands import COMMANDS, Call
from .cursors import Cursors
from .errors import RETRYABLE, RETRYABLE_WRITE, TRANSIENT, CommandError, Disconnect
from .failpoints import UNREADABLE, FailPoint
from .sessions import Session, session_key
from .storage import Storage
from .values import Document
from .wire import MAX_DOCUMENT, MAX_MESSAGE, ProtocolError, Request, receive, reply

SET_NAME = "standin"
_WIRE_VERSION = 17  # MongoDB 6.0
_RETRYABLE_COMMANDS = frozenset({"insert", "update", "delete"})


@dataclass(frozen=True)
class Options:
    topology: str = "standalone"  # standalone, replica-set, sharded
    port: int = 0
    users: tuple[User, ...] = ()
    data: pathlib.Path | None = None
    transaction_seconds: float = 60
    max_batch: int = 100_000  # statements of one write command


class Connection:
    def __init__(self, number: int) -> None:
        self.number = number
        self.application = ""
        self.user: User | None = None
        self._conversation: Conversation | None = None

    def begin_login(self, users: dict[str, User], start: Document) -> Document:
        self.user = None
        self._conversation = Conversation(users, start)
        return self._conversation.begin()

    def go_on_login(self, body: Document) -> Document:
        if not self._conversation:
            raise CommandError(17, "No SASL session state found")
        try:
            answer, user = self._conversation.advance(bytes(body["payload"]))
        except CommandError:
            self._conversation = None
            raise
        if user:
            self.user, self._conversation = user, None
        return answer


@dataclass
class Server:
    options: Options
    storage: Storage = field(default_factory=Storage)
    cursors: Cursors = field(default_factory=Cursors)
    fail_point: FailPoint = field(default_factory=FailPoint)

    def __post_init__(self) -> None:
        if self.options.data and self.options.data.exists():
            self.storage = Storage.load(self.options.data)
        self.users = {user.name: user for user in self.options.users}
        self.port = self.options.port
        self._listener: asyncio.Server | None = None
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._numbers = itertools.count(1)
        self._times = itertools.count(1)
        self._process = ObjectId()

    @property
    def url(self) -> str:
        user = next(iter(self.options.users), None)
        login = f"{user.name}:{user.password}@" if user else ""
        options = [f"replicaSet={SET_NAME}"] if self.options.topology == "replica-set" else []
        options += ["authSource=admin"] if user else []
        return f"mongodb://{login}127.0.0.1:{self.port}/" + ("?" + "&".join(options) if options else "")

    # --- Running ---

    @property
    def is_running(self) -> bool:
        return self._listener is not None

    async def start(self) -> None:
        if self._listener:
            raise Refused("the server runs already")
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """As SIGTERM ends a server: what is being done is done, and all is kept."""
        await self._end(gently=True)
        if self.options.data:
            self.storage.save(self.options.data)

    async def kill(self) -> None:
        """As SIGKILL ends a server with a journal: batches are cut where they are, connections are reset."""
        await self._end(gently=False)

    async def restart(self) -> None:
        if self._listener:
            await self.stop()
        await self.start()

    async def _end(self, *, gently: bool) -> None:
        if not self._listener:
            raise Refused("the server does not run")
        self._listener.close()
        self._listener = None
        tasks = dict(self._tasks)
        for task, writer in tasks.items():
            if gently:
                writer.close()
            else:
                writer.transport.abort()
                task.cancel()
        # A command that waits (for a fail point's time, for a transaction) is not waited for.
        _, slow = await asyncio.wait(tasks, timeout=0.2) if tasks else ((), ())
        for task in slow:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.cursors.clear()
        for session in self.storage.sessions.values():
            if session.transaction:
                session.transaction.abort()

    # --- Connections ---

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks[task] = writer
        connection = Connection(next(self._numbers))
        try:
            while request := await receive(reader):
                answer = await self._answer(connection, request)
                if request.wants_reply and answer is not None:
                    writer.write(reply(request, answer))
                    await writer.drain()
        except (Disconnect, ConnectionError, asyncio.CancelledError):
            pass
        except ProtocolError as error:
            print(f"mongo-standin: connection {connection.number} closed: {error}", file=sys.stderr, flush=True)
        finally:
            del self._tasks[task]
            writer.close()

    async def _answer(self, connection: Connection, request: Request) -> Document:
        call = Call(self, connection, request)
        target = request.body.get(request.name)
        namespace = f"{request.database}.{target}" if isinstance(target, str) else request.database
        fault = self.fail_point.meet(request.name, namespace, connection.application)
        try:
            if fault.get("blockConnection"):
                await asyncio.sleep(fault.get("blockTimeMS", 0) / 1000)
            if fault.get("closeConnection"):
                raise Disconnect
            if "errorCode" in fault:
                raise CommandError(
                    fault["errorCode"], "Failing command via 'failCommand' failpoint",
                    labels=tuple(fault.get("errorLabels", ())))
            if "writeErrorCode" in fault:
                error = CommandError(fault["writeErrorCode"], "Failing a write via 'failCommand' failpoint")
                answer = {"ok": 1.0, "n": 0, "writeErrors": [error.write_error(0)]}
                if request.name == "update":
                    answer["nModified"] = 0
            else:
                answer = await self._act(call)
        except CommandError as error:
            answer = error.reply()
        except BSONError as error:
            answer = CommandError(22, str(error)).reply()
        except KeyError as error:
            answer = CommandError(9, f"BSON field '{request.name}.{error.args[0]}' is missing or unknown").reply()
        except (TypeError, ValueError, AttributeError) as error:
            traceback.print_exc()
            answer = CommandError(1, f"the stand-in failed: {error!r}").reply()
        if fault.get("closeConnectionAfter"):
            raise Disconnect
        if fault.get("unreadable"):
            for each in (answer, *answer.get("writeErrors", ())):
                each["unreadable"] = UNREADABLE
        if "writeConcernError" in fault and answer["ok"]:
            answer["writeConcernError"] = fault["writeConcernError"]
        if "errorLabels" not in fault:
            self._label(call, answer)
        elif answer["ok"]:
            answer["errorLabels"] = fault["errorLabels"]
        if not answer["ok"] and call.transaction and request.name != "commitTransaction":
            call.transaction.abort()
        return answer | self._cluster_time()

    async def _act(self, call: Call) -> Document:
        request = call.request
        command = COMMANDS.get(request.name)
        if not command:
            raise CommandError(59, f"no such command: '{request.name}'")
        user = call.connection.user
        if self.users and not user and not command.before_login:
            raise CommandError(13, f"command {request.name} requires authentication")
        if user and not user.may_write and command.writes:
            raise CommandError(
                13, f"not authorized on {request.database} to execute command {{ {request.name}: "
                f"{request.body[request.name]!r} }}")
        self._join(call, command.in_transaction)
        answer = await command.act(call)
        return answer | {"ok": 1.0}

    def _join(self, call: Call, may_be_inside: bool) -> None:
        """Finds the transaction, or the retryable write, that the command is part of."""
        body = call.body
        if "txnNumber" not in body:
            return
        if "lsid" not in body:
            raise CommandError(72, "Transaction number requires a session ID to also be specified")
        if self.options.topology == "standalone":
            raise CommandError(20, "Transaction numbers are only allowed on a replica set member or mongos")
        session = self.storage.sessions.setdefault(session_key(body["lsid"]), Session())
        if body.get("autocommit") is False:
            if not may_be_inside:
                raise CommandError(263, f"Cannot run '{call.request.name}' in a multi-document transaction.")
            call.transaction = session.open_transaction(body, self.options.transaction_seconds)
        elif call.request.name in _RETRYABLE_COMMANDS:
            call.done = session.retryable(int(body["txnNumber"]))

    def _label(self, call: Call, answer: Document) -> None:
        """Tells the client what it may do again, as a server of this version does."""
        if self.options.topology == "standalone" or "txnNumber" not in call.body:
            return
        code = answer.get("code") if not answer["ok"] else answer.get("writeConcernError", {}).get("code")
        inside = call.body.get("autocommit") is False
        if code in RETRYABLE:
            ends = call.request.name in ("commitTransaction", "abortTransaction")
            answer.setdefault("errorLabels", [TRANSIENT if inside and not ends else RETRYABLE_WRITE])
        elif inside and code == 112 and not answer["ok"]:
            answer.setdefault("errorLabels", [TRANSIENT])

    # --- What the server says about itself ---

    def new_session(self) -> Document:
        return {"id": Binary.from_uuid(uuid.uuid4())}

    def hello(self, connection: Connection, request: Request) -> Document:
        body = request.body
        if "client" in body:
            connection.application = body["client"].get("application", {}).get("name", "")
        answer: dict[str, Any] = {
            "helloOk": True, "isWritablePrimary" if request.name == "hello" else "ismaster": True,
            "maxBsonObjectSize": MAX_DOCUMENT, "maxMessageSizeBytes": MAX_MESSAGE, "maxWriteBatchSize": self.options.max_batch,
            "localTime": datetime.datetime.now(datetime.timezone.utc), "connectionId": connection.number,
            "minWireVersion": 0, "maxWireVersion": _WIRE_VERSION, "readOnly": False,
            "logicalSessionTimeoutMinutes": 30,
        }
        if self.options.topology == "replica-set":
            here = f"127.0.0.1:{self.port}"
            answer |= {"hosts": [here], "setName": SET_NAME, "setVersion": 1, "secondary": False, "primary": here,
                       "me": here, "electionId": self._process}
        if self.options.topology == "sharded":
            answer["msg"] = "isdbgrid"
        if "saslSupportedMechs" in body:
            answer["saslSupportedMechs"] = [MECHANISM]
        return answer

    def _cluster_time(self) -> Document:
        if self.options.topology == "standalone":
            return {}
        now = Timestamp(int(datetime.datetime.now().timestamp()), next(self._times) & 0x7FFFFFFF)
        signature = {"hash": b"\0" * 20, "keyId": Int64(0)}
        return {"operationTime": now, "$clusterTime": {"clusterTime": now, "signature": signature}}
