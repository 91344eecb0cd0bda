internal import DynamoDB
package import StreamModel
package import Targets

/// The tables at the target: found, or made like the source's.
extension DynamoDBTarget {
    package func prepare(_ table: TableSchema) async throws(TargetError) { try await prepare(table, as: nil) }

    package func prepare(_ table: TableSchema, like design: TableDesign) async throws(TargetError) {
        try await prepare(table, as: design)
    }

    private func prepare(_ table: TableSchema, as design: TableDesign?) async throws(TargetError) {
        let place = TableName(names[table.name])
        if let refusal = Self.refusal(of: place, for: table.name) ?? tables.claim(place.text, for: table.name) {
            throw .misconfigured(target: name, reason: refusal)
        }
        if let found = try await settled(place) {
            try await checkIsNoSource(found, for: table.name)
            if let misfit = misfit(of: table, found) { throw .misconfigured(target: name, reason: misfit) }
            if unfinished.contains(place) {
                try await finish(found, like: design ?? TableDesign())
            } else if let design {
                try await remark(on: found, like: design)
            }
        } else {
            guard settings.creates else { throw .misconfigured(target: name, reason: Self.missing(place)) }
            unfinished.insert(place)
            do throws(TargetError) { try await make(table.named(place), like: design ?? TableDesign()) } catch {
                // None was made by this, so one that is found later is somebody's.
                if !error.isRetryable { unfinished.remove(place) }
                throw error
            }
            guard let made = try await settled(place) else {
                throw .unavailable(target: name, reason: "the table \(place) was made, and is gone again")
            }
            if let misfit = misfit(of: table, made) { throw .misconfigured(target: name, reason: misfit) }
            try await finish(made, like: design ?? TableDesign())
        }
        tables.add(table)
        places[place] = AnsweredTable(table)
    }

    static func missing(_ place: TableName) -> String {
        "there is no table \(place): make it with the source's key schema, or have it made by --target-option create=true"
    }

    // MARK: What is there

    /// The table once it is neither being made nor dropped; `nil` where there is none.
    func settled(_ place: TableName) async throws(TargetError) -> TableDescription? {
        var wait: Duration = .milliseconds(250)
        let start = surroundings.uptime()
        while true {
            let found = try await describe(place)
            switch found?.status {
            case nil: return nil
            case "CREATING"?, "DELETING"?: break
            case "ACTIVE"?, "UPDATING"?: return found
            case let status?:
                throw .misconfigured(
                    target: name,
                    reason: "the table \(place) is \(status), and takes no writes: look at its key and its backups")
            }
            guard surroundings.uptime() - start < Self.longestChange else {
                throw .unavailable(
                    target: name, reason: "the table \(place) is \(found?.status ?? "") for more than ten minutes")
            }
            try await pause(&wait)
        }
    }

    static let longestChange: Duration = .seconds(600)

    func pause(_ wait: inout Duration) async throws(TargetError) {
        do { try await surroundings.sleep(for: wait) } catch {
            throw .unavailable(target: name, reason: "cancelled")
        }
        wait = min(wait * 2, .seconds(5))
    }

    func describe(_ place: TableName) async throws(TargetError) -> TableDescription? {
        try await access("looking at the table \(place)") { () throws(DynamoDBError) in
            do throws(DynamoDBError) { return try await client.describeTable(place) } catch {
                if error.isNotFound { return nil }
                throw error
            }
        }
    }

    /// Why no table can have the name, and what to do; `nil` if one can (API Reference, CreateTable).
    static func refusal(of place: TableName, for table: TableName) -> String? {
        let isAllowed = place.text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard !isAllowed || !(3...255).contains(place.text.utf8.count) else { return nil }
        return
            "the table \(table) can't be called \(place) here: names have 3 to 255 of a-z, A-Z, 0-9, '_', '.' and '-'; name "
            + "another as target.tables.\(table)"
    }

    func misfit(of table: TableSchema, _ found: TableDescription) -> String? {
        Self.difference(of: found.schema, from: table).map {
            "the table \(found.schema.name) can't hold the items of \(table.name): \($0). Drop it, or name another as "
                + "target.tables.\(table.name)"
        }
    }

    /// What is other with a table's key than it must be; `nil` where nothing is.
    static func difference(of found: TableSchema, from table: TableSchema) -> String? {
        func text(_ schema: TableSchema) -> String {
            [schema.hash, schema.range].compactMap { attribute in
                attribute.map { "\(String(decoding: $0.name, as: UTF8.self)) (\($0.type.rawValue))" }
            }.joined(separator: ", ")
        }
        guard found.hash != table.hash || found.range != table.range else { return nil }
        return "its key is \(text(found)), where \(text(table)) is needed"
    }

    // MARK: Making

    private func make(_ table: TableSchema, like design: TableDesign) async throws(TargetError) {
        var design = design
        if settings.billing == .onDemand { design.billing = .onDemand }
        try await access("making the table \(table.name)") { [design] () throws(DynamoDBError) in
            do throws(DynamoDBError) { try await client.createTable(table, like: design) } catch {
                // Made by a try whose answer was lost, or by somebody else: it is looked at either way.
                if !error.isInUse { throw error }
            }
        }
    }

    /// What CreateTable doesn't take. That it may not be set keeps nobody from writing items: it is said, and that is all.
    ///
    /// - Throws: what may pass by itself; the table stays `unfinished`.
    private func finish(_ table: TableDescription, like design: TableDesign) async throws(TargetError) {
        let place = table.schema.name
        if let attribute = design.timeToLive {
            try await attempt("the time to live of \(place)") { () throws(DynamoDBError) in
                do throws(DynamoDBError) { try await client.setTimeToLive(attribute, of: place) } catch {
                    // What is enabled already is refused: a try whose answer was lost may have done it.
                    guard !error.isRetryable, !error.isCancelled,
                        let found = try? await client.timeToLive(of: place), found == attribute
                    else { throw error }
                }
            }
        }
        let tags = design.ownTags
        if let arn = table.arn, !tags.isEmpty {
            try await attempt("the tags of \(place)") { () throws(DynamoDBError) in
                try await client.tag(arn, with: tags)
            }
        }
        unfinished.remove(place)
    }

    private func attempt(
        _ what: String, _ body: () async throws(DynamoDBError) -> Void
    ) async throws(TargetError) {
        do throws(DynamoDBError) { try await body() } catch {
            if error.isRetryable || error.isCancelled {
                throw TargetError(error, target: name, during: "setting \(what)")
            }
            remarks.append("\(what) could not be set: \(error)")
        }
    }

    /// A table that is there already is somebody's: it is not changed, but said where it is not like the source's.
    private func remark(on found: TableDescription, like design: TableDesign) async throws(TargetError) {
        let place = found.schema.name
        let missing = Set(design.indexes.map(\.name)).subtracting(found.design.indexes.map(\.name)).sorted()
        if !missing.isEmpty {
            remarks.append(
                "the table \(place) was there before, without the indexes \(missing.joined(separator: ", "))")
        }
        if let wanted = design.timeToLive {
            let attribute = String(decoding: wanted, as: UTF8.self)
            try await look(at: "the time to live of \(place)") { () throws(DynamoDBError) in
                try await client.timeToLive(of: place) == wanted
                    ? nil : "the table \(place) was there before, without the source's time to live (\(attribute))"
            }
        }
        let tags = design.ownTags
        if let arn = found.arn, !tags.isEmpty {
            try await look(at: "the tags of \(place)") { () throws(DynamoDBError) in
                let missing = Set(tags).subtracting(try await client.tags(of: arn)).map(\.key).sorted()
                return missing.isEmpty
                    ? nil
                    : "the table \(place) was there before, without the source's tags (\(missing.joined(separator: ", ")))"
            }
        }
    }

    /// What may not be read, nothing is said of.
    private func look(
        at what: String, _ body: () async throws(DynamoDBError) -> String?
    ) async throws(TargetError) {
        do throws(DynamoDBError) {
            if let remark = try await body() { remarks.append(remark) }
        } catch {
            if error.isRetryable || error.isCancelled {
                throw TargetError(error, target: name, during: "looking at \(what)")
            }
        }
    }
}

extension TableDesign {
    /// Without those of AWS's own, which are nobody's to set.
    fileprivate var ownTags: [Tag] { tags.filter { !$0.key.hasPrefix("aws:") } }
}
