internal import DynamoDB
internal import Simdjson
package import StreamModel
internal import Synchronization
package import Targets

/// How changes come into the tables. What goes when, `WriteQueue` says; what must wait, `DoubtfulKeys`.
extension DynamoDBTarget {
    /// One change that is to be written.
    private struct Written {
        let write: ItemWrite
        let key: DoubtfulKeys.Key
        let batch: Int
        let change: Change
    }

    /// A transaction that is asked again by its token until it is answered.
    struct OpenTransaction: Sendable {
        let writes: [ItemWrite]
        let token: String
    }

    package func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        let rows = try tables.rows(of: batches, target: name)
        var written: [Written] = []
        written.reserveCapacity(rows.reduce(0) { $0 + $1.count })
        for (index, rows) in rows.enumerated() {
            let place = TableName(names[batches[index].table.name])
            for row in rows {
                let body = batches[index].parts[row.part].body
                written.append(
                    Written(
                        write: itemWrite(row.change, body, place),
                        key: DoubtfulKeys.Key(table: place.text, key: row.key), batch: index,
                        change: row.change))
            }
        }
        do throws(TargetError) {
            try await resolve()
            try await deliver(written, of: batches)
        } catch {
            if isBeside { try? await settle() }
            throw error
        }
        if isBeside { try await settle() }
        return batches.map { _ in nil }
    }

    /// Returns when no call that was given up can have an effect any more. A daemon beside this knows nothing of our doubts and would write
    /// something newer at once; what comes late before this returns is seen by whoever compares the copies again.
    private func settle() async throws(TargetError) {
        try await resolve()
        let wait = doubts.clearAt - surroundings.uptime()
        guard wait > .zero else { return }
        do { try await surroundings.sleep(for: wait) } catch {
            throw TargetError(.cancelled, target: name, during: "waiting for what may come late")
        }
    }

    private func itemWrite(_ change: Change, _ body: [UInt8], _ place: TableName) -> ItemWrite {
        guard change.kind != .remove, let image = change.newImage else {
            return ItemWrite(.delete, place, body, change.keys)
        }
        if settings.stripsReplication, let item = ReplicationAttributes.stripped(image, of: body) {
            return ItemWrite(.put, place, item, ByteRange(offset: 0, count: UInt32(item.count)))
        }
        return ItemWrite(.put, place, body, image)
    }

    // MARK: Calls

    private enum Returned: Sendable {
        case call(WriteQueue.Call, Result<DynamoDBClient.Unprocessed?, DynamoDBError>, unknownAt: Duration?)
        case timer
    }

    /// What a delivery has come to, beside its queue.
    private struct Course {
        var failure: TargetError?
        /// The write that was refused, and why.
        var refused: (write: Int, why: String)?
        var throttle: DynamoDBError?
        var tokens: [Int: String] = [:]
        /// Transactions of which a try may have been done, and no answer says so yet.
        var open: Set<Int> = []

        var isOver: Bool { failure != nil || refused != nil }
    }

    private var isTransactional: Bool { settings.guarding == .transaction }

    private func deliver(_ written: [Written], of batches: [Batch]) async throws(TargetError) {
        let now = surroundings.uptime()
        doubts.forget(at: now)
        let isClear = doubts.isClear(at: now)
        var queue = WriteQueue(
            sizes: written.map(\.write.size),
            due: written.map { isClear ? now : doubts.earliest($0.write.content, of: $0.key) },
            limits: isTransactional
                ? .init(
                    writes: DynamoDBClient.writesOfATransaction, bytes: DynamoDBClient.bytesOfATransaction,
                    calls: settings.connections)
                : .init(
                    writes: DynamoDBClient.writesAtOnce, bytes: DynamoDBClient.bytesAtOnce, calls: settings.connections
                ),
            policy: policy, patience: .seconds(60), keepsCalls: isTransactional, at: now)
        var course = Course()
        await withTaskGroup(of: Returned.self) { group in
            var underWay = 0
            var timer: Duration?
            while true {
                // Once it has failed nothing more begins, and what is under way is waited for: its outcome matters.
                switch course.isOver ? .wait(until: nil) : queue.next(at: surroundings.uptime()) {
                case .call(let call):
                    let writes = call.members.map { written[$0].write }
                    let token = isTransactional ? course.tokens[call.id] ?? makeToken() : nil
                    course.tokens[call.id] = token
                    underWay += 1
                    group.addTask { [client, surroundings] in
                        await Self.perform(call, writes, token: token, client, surroundings)
                    }
                    continue
                case .done: return group.cancelAll()
                case .stuck:
                    course.failure = .unavailable(
                        target: name,
                        reason: "writing: nothing was taken for a minute"
                            + (course.throttle.map { ": \($0): raise the table's write capacity" } ?? ""))
                    continue
                case .wait(let until):
                    if underWay == 0, course.isOver { return group.cancelAll() }
                    if until != nil, Task.isCancelled {
                        // No wait ends later than at once any more.
                        course.failure = TargetError(.cancelled, target: name, during: "writing")
                        continue
                    }
                    if let until, timer.map({ until < $0 }) ?? true {
                        timer = until
                        let wait = until - surroundings.uptime()
                        group.addTask { [surroundings] in
                            try? await surroundings.sleep(for: wait)
                            return .timer
                        }
                    }
                }
                switch await group.next() {
                case .call(let call, let result, let unknownAt):
                    underWay -= 1
                    take(result, of: call, unknownAt: unknownAt, written, &queue, &course)
                case .timer: timer = nil
                case nil: preconditionFailure("a queue waits for a moment, or for a call that is under way")
                }
            }
        }
        for call in course.open.sorted() {
            guard let token = course.tokens[call], let writes = openWrites.removeValue(forKey: call) else { continue }
            unresolved.append(OpenTransaction(writes: writes, token: token))
        }
        openWrites = [:]
        if let failure = course.failure { throw failure }
        if let (write, why) = course.refused { throw try await refusal(of: written[write], why, batches) }
    }

    private static func perform(
        _ call: WriteQueue.Call, _ writes: [ItemWrite], token: String?, _ client: DynamoDBClient,
        _ surroundings: Surroundings
    ) async -> Returned {
        let last = Mutex<Duration?>(nil)
        let unknown: DynamoDBClient.UnknownObserver = { last.withLock { $0 = surroundings.uptime() } }
        let result: Result<DynamoDBClient.Unprocessed?, DynamoDBError>
        do throws(DynamoDBError) {
            if let token {
                try await client.transact(writes, token: token, onUnknown: unknown)
                result = .success(nil)
            } else {
                result = .success(try await client.write(writes, onUnknown: unknown))
            }
        } catch {
            result = .failure(error)
        }
        return .call(call, result, unknownAt: last.withLock { $0 })
    }

    /// A call has come back.
    private func take(
        _ result: Result<DynamoDBClient.Unprocessed?, DynamoDBError>, of call: WriteQueue.Call, unknownAt: Duration?,
        _ written: [Written], _ queue: inout WriteQueue, _ course: inout Course
    ) {
        let members = call.members.map { written[$0] }
        if unknownAt != nil, isTransactional {
            course.open.insert(call.id)
            openWrites[call.id] = members.map(\.write)
        } else if let unknownAt {
            doubts.note(members.map { ($0.key, $0.write.content) }, at: unknownAt)
        }
        let outcome: WriteQueue.Outcome
        switch result {
        case .success(let unprocessed):
            // Whoever has the token comes too late from now on.
            course.open.remove(call.id)
            openWrites[call.id] = nil
            outcome = .done(unprocessed: unprocessed.map { self.members(of: call, left: $0, written) } ?? [])
        case .failure(let error):
            if let reasons = error.cancellationReasons, reasons.count == members.count,
                let place = reasons.firstIndex(where: { Consequence(reason: $0) == .refuseRecord })
            {
                leaveOpen(call, members, unknownAt, &course)
                course.refused = (call.members[place], "\(reasons[place]) (\(error))")
                return
            }
            switch Consequence(error) {
            case .slower:
                course.throttle = error
                outcome = .throttled
            case .refuseRecord:
                leaveOpen(call, members, unknownAt, &course)
                outcome = .refused
                if call.members.count == 1 { course.refused = (call.members[0], "\(error)") }
            case .retry, .stop:
                course.failure = TargetError(error, target: name, during: "writing")
                return
            }
        }
        _ = queue.handle(outcome, of: call, random: surroundings.random(), at: surroundings.uptime())
    }

    /// A transaction that is refused is not asked again, so what is left of its tries is waited out.
    private func leaveOpen(
        _ call: WriteQueue.Call, _ members: [Written], _ unknownAt: Duration?, _ course: inout Course
    ) {
        guard course.open.remove(call.id) != nil else { return }
        openWrites[call.id] = nil
        doubts.note(members.map { ($0.key, $0.write.content) }, at: unknownAt ?? surroundings.uptime())
    }

    /// Which of a call's writes were left undone. Where the reply speaks of something else, all of them: what is done again is the same.
    private func members(
        of call: WriteQueue.Call, left unprocessed: DynamoDBClient.Unprocessed, _ written: [Written]
    ) -> [Int] {
        guard !unprocessed.places.isEmpty else { return [] }
        var byKey: [DoubtfulKeys.Key: Int] = [:]
        for member in call.members { byKey[written[member].key] = member }
        var left: Set<Int> = []
        for (table, place) in unprocessed.places {
            guard let prepared = places[table], let item = try? prepared.keys.key(in: place, of: unprocessed.reply),
                let key = try? CanonicalKey(item), let member = byKey[DoubtfulKeys.Key(table: table.text, key: key)]
            else { return call.members }
            left.insert(member)
        }
        return left.sorted()
    }

    /// 128 bits, as 32 digits: no two calls have the same.
    private func makeToken() -> String {
        (0..<4).map { _ in
            let digits = String(UInt32(surroundings.random() * 4_294_967_296), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    /// Transactions that an earlier write has left open are asked again by their tokens: until one is answered, what it says may be done
    /// at any moment, and so nothing newer may be.
    private func resolve() async throws(TargetError) {
        while let open = unresolved.first {
            do throws(DynamoDBError) {
                try await client.transact(open.writes, token: open.token, onUnknown: {})
            } catch {
                // What can't be written now couldn't be before; and a token that is another's was never ours.
                guard Consequence(error) == .refuseRecord || error.isOfAnotherTransaction else {
                    throw TargetError(error, target: name, during: "asking for an earlier write's outcome")
                }
            }
            unresolved.removeFirst()
        }
    }

    /// As an error names the record. Where the table has another key by now, it is not the record's fault.
    private func refusal(
        of written: Written, _ why: String, _ batches: [Batch]
    ) async throws(TargetError) -> TargetError {
        let batch = batches[written.batch]
        if let table = try? await client.describeTable(written.write.table),
            let difference = Self.difference(of: table.schema, from: batch.table)
        {
            return .misconfigured(target: name, reason: "the table \(written.write.table) was changed: \(difference)")
        }
        return .unwritable(
            target: name, what: batch.describe(written.change), reason: "the table refuses it: \(why)",
            change: written.change)
    }
}

extension ItemWrite {
    /// What it makes of its item.
    fileprivate var content: DoubtfulKeys.Content {
        var hasher = Hasher()
        hasher.combine(kind)
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
