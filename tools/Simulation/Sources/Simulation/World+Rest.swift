internal import Journal
internal import StreamModel
internal import StreamSim
internal import Synchronization
internal import Targets

/// What the journal says, and what must hold whenever nobody runs.
extension World {
    /// Takes over what was appended since it was last asked.
    func read(_ journal: Journal?, _ state: inout State) -> [Violation] {
        guard let journal else { return [] }
        var found: [Violation] = []
        do {
            for event in try journal.events(after: state.judge.chronicle.last, limit: .max) {
                var noted: [String] = []
                if tells {
                    state.trail.add("\(conductor.now) journal: \(event.position) \(event.subject) \(event.payload)")
                }
                try state.judge.chronicle.take(event) { noted.append($0) }
                state.judge.promises.take(event) { noted.append($0) }
                for name in noted { state.coverage[name, default: 0] += 1 }
                found += violations(of: event, state)
            }
        } catch {
            found.append(Violation(.journal, "\(error)"))
        }
        return found
    }

    /// What is known by a journal that nobody writes.
    func known(by journal: Journal) -> Judge.ByJournal {
        let (found, known) = state.withLock { state in (read(journal, &state), state.judge.byJournal) }
        violate(found)
        return known
    }

    /// The journal is another one from now on.
    func go(by journal: Judge.ByJournal) {
        state.withLock { state in
            let service = state.service
            state.judge.go(by: journal) { trimmed($0, service, now) }
        }
    }

    private func violations(of event: Event, _ state: State) -> [Violation] {
        if case .table(let table) = event.subject, case .rangeLost(let lost) = event.payload {
            return state.judge.violations(of: lost, of: table, at: event.time) {
                trimmed($0, state.service, event.time)
            }
        }
        guard case .shard(let shard) = event.subject else { return [] }
        switch event.payload {
        case .rangeLost(let lost):
            let violation = state.judge.violation(of: lost, of: shard, at: event.time) {
                trimmed($0, state.service, event.time)
            }
            return violation.map { [$0] } ?? []
        case .recordRefused(let refused):
            var found = state.judge.violation(of: refused, of: shard).map { [$0] } ?? []
            // Shards that are refused records at the same time may come to the limit together.
            let readers = state.judge.chronicle.shards.values.count { $0.checkpoint.status == .inProcessing }
            if state.judge.chronicle.waiting(of: shard.table) > letterLimit + max(0, readers - 1) {
                found.append(Violation(.letter, "\(shard.table): more than \(letterLimit) records are put aside"))
            }
            return found
        default: return []
        }
    }

    /// Asked after each life, however it ended.
    ///
    /// - Parameter isSettled: the daemon came to rest with nothing failing, so that recovery is behind it.
    package func violationsAtRest(in folder: String, isSettled: Bool) -> [Violation] {
        guard let journal = try? Journal.open(folder, .reader, mapSize: DaemonProcess.mapSize) else { return [] }
        do throws(JournalError) {
            _ = try journal.verify { _ in }
        } catch {
            return [Violation(.journal, "at rest: \(error)")]
        }
        let letters = DeadLetterFile("\(folder)/\(DeadLetterFile.name)")
        return state.withLock { state in
            var found = read(journal, &state)
            // What is paused is not compared with the target before it is resumed.
            if isSettled, state.judge.chronicle.pauses.isEmpty { state.isRestored = false }
            found += state.judge.violations(ofPausesIn: journal)
            let service = state.service
            if !state.isRestored { found += state.judge.unfounded { trimmed($0, service, now) } }
            for (table, account) in state.judge.chronicle.tables {
                guard let lost = account.halfDealtWith else { continue }
                found.append(
                    Violation(
                        .journal, "\(table): \(lost.cause.rawValue), \(lost.policy.rawValue), and nothing follows"))
            }
            for (shard, account) in state.judge.chronicle.shards {
                for refusal in account.checkpoint.refusals {
                    guard let letter = account.letters[refusal.position],
                        let line = letters.line(at: letter.offset, count: letter.bytes),
                        String(decoding: line, as: UTF8.self).contains(
                            #""sequence_number":"\#(refusal.sequenceNumber)""#)
                    else {
                        found.append(Violation(.letter, "\(shard): \(refusal.sequenceNumber) is not in the file"))
                        continue
                    }
                }
            }
            return found
        }
    }

    /// Asked at the end, when everything has come that was to come.
    package func finalViolations(in folder: String) -> [Violation] {
        let letters = DeadLetterFile("\(folder)/\(DeadLetterFile.name)")
        return state.withLock { state in
            let service = state.service
            let trimmed = { (shard: ShardKey) in self.trimmed(shard, service, self.now) }
            state.judge.standing = Set(schemas.map(\.name).filter { !service.isStreaming($0.word) })
            var found = state.judge.lost(trimmed) + state.judge.unkeptPromises
            for schema in schemas {
                let items = state.service.items(of: schema.name.word).map(\.bytes).filter { item in
                    filters[schema.name]?.matches(item) ?? true
                }
                let source = items.compactMap { item in itemID(of: item, schema).map { ($0, item) } }
                let table = state.judge.chronicle.tables[schema.name]
                let refused = (table?.refusedItems ?? []).compactMap { refused in
                    letters.line(at: refused.offset, count: refused.bytes).flatMap { itemID(ofLetter: $0, schema) }
                }
                if refused.contains(where: { !state.judge.refusedRows.contains($0) }) {
                    found.append(Violation(.letter, "\(schema.name): an item is put aside that the target can hold"))
                }
                found += state.judge.differences(
                    of: schema.name, from: Dictionary(source) { first, _ in first }, letters: Set(refused), trimmed)
            }
            return found + (kind == .file ? state.judge.repeated : [])
        }
    }

    /// The item of a letter of a scan, whose `keys` are all of it.
    private func itemID(ofLetter line: [UInt8], _ schema: TableSchema) -> Disk.ItemID? {
        guard let start = line.firstRange(of: Array(#""keys":"#.utf8))?.upperBound,
            let end = line[start...].firstRange(of: Array(#","new_image":"#.utf8))?.lowerBound
        else { return nil }
        return itemID(of: Array(line[start..<end]), schema)
    }
}

extension World {
    /// What an operator can see that waits for him.
    var waits: (loss: Bool, letter: Bool) {
        state.withLock { state in
            _ = read(state.journal, &state)
            let checkpoints = state.judge.chronicle.shards.values.map(\.checkpoint)
            let tables = state.judge.chronicle.tables.values
            return (
                checkpoints.contains { $0.loss != nil } || tables.contains { $0.loss != nil },
                checkpoints.contains { !$0.refusals.isEmpty }
            )
        }
    }

    /// Whether a table or a shard is paused.
    var isAnythingPaused: Bool {
        state.withLock { state in
            _ = read(state.journal, &state)
            return !state.judge.chronicle.pauses.isEmpty
        }
    }

    /// A table whose scan has brought every page, and is not finished.
    var scanAtItsEnd: TableName? {
        state.withLock { state in
            _ = read(state.journal, &state)
            return schemas.map(\.name).first { state.judge.chronicle.tables[$0]?.isScanAtItsEnd == true }
        }
    }

    /// Tables that have no stream.
    var withoutStream: [TableName] {
        state.withLock { state in schemas.map(\.name).filter { !state.service.isStreaming($0.word) } }
    }

    /// Whether the journal says of some table that it needs a full sync, or is in the middle of one.
    var needsScan: Bool { needsScan(besides: []) }

    /// Whether it says so of another table than these.
    func needsScan(besides others: [TableName]) -> Bool {
        state.withLock { state in
            state.judge.chronicle.tables.contains { $0.value.phase == .fullSync && !others.contains($0.key) }
        }
    }
}
