internal import Dispatcher
internal import DynamoDB
internal import StreamModel
internal import Targets

/// What is said of a table, from what a daemon would do with it: each call that was made for that, the stream, the target, and what
/// else would be in the way.
struct TableFindings {
    private let plan: TablePlan
    private let mode: DaemonConfiguration.Mode
    private let region: String
    private let account: String?
    private let target: String

    /// - Parameter account: of the credentials, where the table says none.
    init(_ plan: TablePlan, _ mode: DaemonConfiguration.Mode, region: String, account: String?, target: String) {
        self.plan = plan
        self.mode = mode
        self.region = region
        self.account = account
        self.target = target
    }

    private var name: String { plan.name.text }

    private var errors: [DynamoDBError] {
        plan.obstacles.compactMap { if case .source(let error) = $0 { error } else { nil } }
    }

    /// Why nothing can be told of any table: the endpoint does not answer.
    var unreachable: DynamoDBError? {
        errors.first { if case .unreachable = $0 { true } else { false } }
    }

    /// The same: the service doesn't take the credentials.
    var refused: DynamoDBError? { errors.first { $0.exitCode == 77 && !$0.isDenied } }

    /// - Parameter others: tables that there are, where this one isn't.
    func all(others: [TableName]) -> [Diagnosis] {
        guard let table = plan.table else {
            return [describing(others)] + plan.notes.map { note($0) }
        }
        var findings = [describing(others)]
        if mode != .incr { findings.append(call("Scan", on: tableARN)) }
        findings += stream(table)
        findings += [self.place].compactMap(\.self)
        let said = streamComplaint(table)?.description
        for obstacle in plan.obstacles {
            switch obstacle {
            case .source: continue
            case .target(let error): findings.append(.problem("target", table: name, .target(error)))
            default:
                guard obstacle.description != said else { continue }
                findings.append(.problem("table", table: name, .daemon(obstacle)))
            }
        }
        return findings + plan.notes.map { note($0) }
    }

    private func note(_ text: String) -> Diagnosis {
        .warning("table", table: name, text, do: "nothing, where that is meant")
    }

    // MARK: Calls

    private func describing(_ others: [TableName]) -> Diagnosis {
        guard let table = plan.table else {
            guard let error = errors.first else { return .ok("table", table: name, "it could not be described") }
            guard error.isNotFound else { return failed("DescribeTable", error, on: tableARN, with: []) }
            let nearest = NearestName.of(name, in: others.map(\.text))
            let known =
                others.isEmpty
                ? "" : "; among \(Spoken.count(UInt64(others.count), "table")) the nearest is \(nearest ?? "")"
            return .problem(
                "dynamodb:DescribeTable", table: name, "there is none in \(region) for these credentials\(known)",
                do: "check the table's name, the region (--region) and the account", exitCode: error.exitCode)
        }
        let items = Spoken.count(UInt64(max(0, table.itemCount)), "item")
        return .ok("dynamodb:DescribeTable", table: name, "\(table.status), ~\(items), \(table.arn ?? region)")
    }

    private func call(_ operation: String, on resource: String, with others: [String] = []) -> Diagnosis {
        let error = errors.first {
            switch $0 {
            case .service(_, _, _, operation, _, _), .unreachable(_, operation, _), .badReply(operation, _, _): true
            default: false
            }
        }
        return error.map { failed(operation, $0, on: resource, with: others) }
            ?? .ok("dynamodb:\(operation)", table: name, "allowed")
    }

    private func failed(
        _ operation: String, _ error: DynamoDBError, on resource: String, with others: [String]
    ) -> Diagnosis {
        let action = "dynamodb:\(operation)"
        guard error.isDenied, case .service(let code, let message, _, _, _, _) = error else {
            return .problem(action, table: name, .source(error))
        }
        return .denied(
            action, table: name, message.isEmpty ? code : "\(code): \(message)", on: resource,
            with: others.map { "dynamodb:\($0)" })
    }

    /// Of a table that is not known, with what is known of it.
    private var tableARN: String {
        if let arn = plan.table?.arn { return arn }
        if let stream = plan.table?.stream?.text, let end = stream.firstRange(of: "/stream/") {
            return String(stream[..<end.lowerBound])
        }
        let partition = region.hasPrefix("cn-") ? "aws-cn" : region.hasPrefix("us-gov-") ? "aws-us-gov" : "aws"
        return "arn:\(partition):dynamodb:\(region):\(account ?? "*"):table/\(name)"
    }

    /// A stream that is disabled and enabled has another ARN.
    private var streamARNs: String { "\(tableARN)/stream/*" }

    // MARK: The stream

    private func streamComplaint(_ table: TableDescription) -> DaemonError? {
        guard !plan.enablesStream else { return nil }
        do throws(DaemonError) {
            _ = try table.followedStream
            return nil
        } catch {
            return error
        }
    }

    private func stream(_ table: TableDescription) -> [Diagnosis] {
        if plan.enablesStream {
            return [
                .warning(
                    "stream", table: name, "there is none, and `run` would enable one with NEW_AND_OLD_IMAGES",
                    do:
                        "let these credentials have dynamodb:UpdateTable on \(tableARN), which is not tried: it would do it"
                )
            ]
        }
        var findings: [Diagnosis] = []
        if let complaint = streamComplaint(table) {
            findings.append(.problem("stream", table: name, .daemon(complaint)))
        } else {
            let shards = plan.stream.map {
                ", \(Spoken.count(UInt64($0.shards), "shard")), \($0.openShards) of them open"
            }
            findings.append(.ok("stream", table: name, (table.viewType ?? "of a view type not said") + (shards ?? "")))
        }
        guard table.streamEnabled, table.stream != nil else { return findings }
        let reading = ["GetShardIterator", "GetRecords"]
        findings.append(call("DescribeStream", on: streamARNs, with: reading))
        guard let stream = plan.stream else { return findings + untried(reading, "DescribeStream failed") }
        guard stream.openShards > 0 else { return findings + untried(reading, "the stream shows no open shard yet") }
        let iterator = call("GetShardIterator", on: streamARNs, with: ["GetRecords"])
        findings.append(iterator)
        return findings
            + (iterator.severity == .ok
                ? [call("GetRecords", on: streamARNs)] : untried(["GetRecords"], "GetShardIterator failed"))
    }

    private func untried(_ operations: [String], _ why: String) -> [Diagnosis] {
        operations.map {
            .warning("dynamodb:\($0)", table: name, "not tried, since \(why)", do: "look again once that is mended")
        }
    }

    // MARK: The target

    /// `nil` where it could not be looked at, which is an obstacle.
    private var place: Diagnosis? {
        guard let place = plan.place else { return nil }
        let contents =
            switch place.contents {
            case .missing: "which would be made"
            case .empty: "which is empty"
            case .filled: "which holds something"
            }
        return .ok("target", table: name, "\(target): \(place.object), \(contents)")
    }
}
