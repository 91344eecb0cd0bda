import AllTargets
import Foundation
import StreamModel
import Testing

@testable import Targets

@Suite("A JSON Lines target")
struct JSONLinesTargetTests {
    private static let ann = #"{"id":{"S":"ann"}}"#
    private static let bob = #"{"id":{"S":"bob"}}"#
    private static let first = Feed.batch(.people, first: 1, [.insert(keys: ann, new: ann)])
    private static let second = Feed.batch(
        .people, first: 2, [.modify(keys: ann, old: ann, new: ann), .remove(keys: ann)])

    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func opened(_ tokens: [TargetToken?] = []) async throws -> any Target {
        let target = try TargetSchemes.all.make("jsonl:\(scratch.file("changes.jsonl"))")
        try await target.open(recoveringTo: tokens.compactMap(\.self))
        return target
    }

    private func text() throws -> String { String(decoding: try scratch.bytes(of: "changes.jsonl"), as: UTF8.self) }

    private func numbers() throws -> [String?] {
        try Line.all(in: scratch.bytes(of: "changes.jsonl")).map { $0.sequenceNumber.map { String($0.suffix(2)) } }
    }

    private func refusal(_ tokens: [TargetToken?]) async throws -> String {
        let error = await #expect(throws: TargetError.self) { _ = try await opened(tokens) }
        guard case .misconfigured = error else {
            Issue.record("\(String(describing: error))")
            return ""
        }
        return error?.description ?? ""
    }

    // MARK: Lines

    @Test("writes one line for each change, with the bytes of keys and images as they arrived")
    func lines() async throws {
        let target = try await opened()
        let new = #"{"id":{"S":"ann"},"n":{"N":"1E+2"}}"#
        let old = #"{ "id":{"S":"a\u006en"}, "n":{"N":"1.0"}}"#
        _ = try await target.write([
            Feed.batch(
                .people, first: 3,
                [
                    .insert(keys: Self.ann, new: new),
                    .modify(keys: Self.ann, old: old, new: Self.ann),
                    .remove(keys: Self.ann, old: old),
                    .imageless(.modify, keys: Self.bob),
                ])
        ])
        let head =
            #"{"table":"people","shard":"shardId-00000001763900000000-abcdef01","sequence_number":"#
            + #""10000000000000000000000"#
        let time = #""approximate_time":"2026-11-23T16:32:34Z""#
        #expect(
            try text() == """
                \(head)03","event":"INSERT",\(time),"keys":\(Self.ann),"new_image":\(new),"old_image":null}
                \(head)04","event":"MODIFY",\(time),"keys":\(Self.ann),"new_image":\(Self.ann),"old_image":\(old)}
                \(head)05","event":"REMOVE",\(time),"keys":\(Self.ann),"new_image":null,"old_image":\(old)}
                \(head)06","event":"MODIFY",\(time),"keys":\(Self.bob),"new_image":null,"old_image":null}

                """)
    }

    @Test("writes a row of a scan with its keys picked out of the item, and without a place in the stream")
    func snapshot() async throws {
        let table = TableSchema("t", ("\"h\"\n", .string), ("r", .number))
        let target = try await opened()
        let item = #"{"x":{"M":{"r":{"N":"2"}}},"r":{"N":"1.0"},"\"h\"\n":{"S":"a\u0062"}}"#
        _ = try await target.write([Feed.scan(table, [item])])
        #expect(
            try text()
                == #"{"table":"t","shard":null,"sequence_number":null,"event":"SNAPSHOT","approximate_time":null,"#
                + #""keys":{"\"h\"\u000a":{"S":"a\u0062"},"r":{"N":"1.0"}},"new_image":\#(item),"old_image":null}"#
                + "\n")
    }

    @Test("keeps a change on one line, though it came with line breaks")
    func lineBreaks() async throws {
        let target = try await opened()
        _ = try await target.write([
            Feed.batch(.people, [.insert(keys: "{\r\n\"id\": {\"S\":\"ann\"}\n}", new: "{\"id\":\n{\"S\":\"a\\nb\"}}")])
        ])
        #expect(
            try text().hasSuffix(
                #""keys":{"id": {"S":"ann"}},"new_image":{"id":{"S":"a\nb"}},"old_image":null}"# + "\n"))
        #expect(try numbers() == ["01"])
    }

    @Test("escapes a shard's id, which is the service's to choose")
    func shardID() async throws {
        let target = try await opened()
        let shard = Feed.key(of: .people, shard: "a\"b\\c\u{1}é")
        _ = try await target.write([Feed.batch(.people, shard: shard, [.remove(keys: Self.ann)])])
        #expect(try text().contains(#""shard":"a\"b\\c\u0001é","#))
        #expect(try Line.all(in: scratch.bytes(of: "changes.jsonl")).first?.shard == shard.shard.text)
    }

    @Test("never collapses")
    func neverCollapsed() async throws {
        let target = try await opened()
        _ = try await target.write([Self.first, Self.second])
        #expect(try numbers() == ["01", "02", "03"])
    }

    @Test("makes the file for this user alone, and adds to it")
    func file() async throws {
        let target = try await opened()
        #expect(try scratch.permissions(of: "changes.jsonl") == 0o600)
        _ = try await target.write([Self.first])
        _ = try await target.write([Self.second])
        #expect(try numbers() == ["01", "02", "03"])
    }

    @Test("writes more than its buffer holds in one write, with a token after each batch")
    func large() async throws {
        let item = #"{"id":{"S":"ann"},"v":{"S":"\#(String(repeating: "v", count: 400_000))"}}"#
        let batches = (1...9).map { Feed.batch(.people, first: $0, [.insert(keys: Self.ann, new: item)]) }
        var target = try await opened()
        let tokens = try await target.write(batches)
        #expect(try numbers() == (1...9).map { "0\($0)" })
        for kept in (1...9).reversed() {
            await target.close()
            target = try await opened([tokens[kept - 1]])
            #expect(try numbers() == (1...kept).map { "0\($0)" })
        }
    }

    // MARK: Recovery

    @Test("cuts the file back to the furthest token, in whatever order they come")
    func cutBack() async throws {
        var target = try await opened()
        let tokens = try await target.write([Self.first, Self.second])
        let lost = try await target.write([Feed.batch(.people, first: 4, [.insert(keys: Self.bob, new: Self.bob)])])
        await target.close()

        target = try await opened([tokens[1], tokens[0]])
        #expect(try numbers() == ["01", "02", "03"])
        let again = try await target.write([Feed.batch(.people, first: 4, [.insert(keys: Self.bob, new: Self.bob)])])
        #expect(again == lost, "the same bytes in the same place")
        await target.close()
        target = try await opened([tokens[0]])
        #expect(try numbers() == ["01"])
    }

    @Test("cuts off a line that was written in part")
    func partialLine() async throws {
        var target = try await opened()
        let tokens = try await target.write([Self.first])
        await target.close()
        try scratch.append(#"{"table":"people","sha"#, to: "changes.jsonl")
        target = try await opened(tokens)
        _ = try await target.write([Self.second])
        #expect(try numbers() == ["01", "02", "03"])
    }

    @Test("leaves alone what no crash can have left: the journal is an older copy")
    func farAhead() async throws {
        let target = try await opened()
        let tokens = try await target.write([Self.first])
        await target.close()
        let count = try scratch.bytes(of: "changes.jsonl").count
        #expect(unsafe truncate(scratch.file("changes.jsonl"), count + Int(JSONLinesTarget.mostAhead) + 1) == 0)
        #expect(try await refusal(tokens).contains("an older copy"))
        #expect(unsafe truncate(scratch.file("changes.jsonl"), count + Int(JSONLinesTarget.mostAhead)) == 0)
        _ = try await opened(tokens)
        #expect(try scratch.bytes(of: "changes.jsonl").count == count)
    }

    @Test("refuses a file that is shorter than what the journal holds, and leaves it as it is")
    func shorter() async throws {
        let target = try await opened()
        let tokens = try await target.write([Self.first, Self.second])
        await target.close()
        let whole = try scratch.bytes(of: "changes.jsonl")
        for count in [0, 1, whole.count - 1] {
            try scratch.write(whole.prefix(count), to: "changes.jsonl")
            #expect(try await refusal(tokens).contains("truncated or replaced"))
            #expect(try scratch.bytes(of: "changes.jsonl").count == count)
        }
        try FileManager.default.removeItem(atPath: scratch.file("changes.jsonl"))
        #expect(try await refusal(tokens).contains("shorter (0 bytes)"))
    }

    @Test("refuses another file that happens to be as long, and leaves it as it is")
    func replaced() async throws {
        let target = try await opened()
        let tokens = try await target.write([Self.first, Self.second])
        await target.close()
        var bytes = try scratch.bytes(of: "changes.jsonl")
        bytes[bytes.count - 5] ^= 1
        bytes += Array("more\n".utf8)
        try scratch.write(bytes, to: "changes.jsonl")
        #expect(try await refusal(tokens).contains("not those that the journal knows"))
        #expect(try scratch.bytes(of: "changes.jsonl") == bytes)
    }

    @Test("goes on in a copy of the file, such as a backup that was put back")
    func copied() async throws {
        var target = try await opened()
        let tokens = try await target.write([Self.first])
        await target.close()
        let bytes = try scratch.bytes(of: "changes.jsonl")
        try FileManager.default.removeItem(atPath: scratch.file("changes.jsonl"))
        try scratch.write(bytes, to: "changes.jsonl")
        target = try await opened(tokens)
        #expect(try numbers() == ["01"])
    }

    @Test("refuses a file that holds something where the journal knows nothing of it, and leaves it as it is")
    func foreign() async throws {
        try scratch.write(Array("somebody's work\n".utf8), to: "changes.jsonl")
        #expect(try await refusal([]).contains("this journal knows nothing of"))
        #expect(try await refusal([TargetToken("of another target")]).contains("this journal knows nothing of"))
        #expect(try text() == "somebody's work\n")
        #expect(try scratch.names() == ["changes.jsonl"])
    }

    @Test("takes an empty file")
    func empty() async throws {
        try scratch.write([], to: "changes.jsonl")
        let target = try await opened()
        _ = try await target.write([Self.first])
        #expect(try numbers() == ["01"])
    }

    @Test("knows lines of its own that no journal holds yet, and begins again")
    func unjournaled() async throws {
        var target: (any Target)? = try await opened()
        _ = try await target?.write([Self.first])
        #expect(try scratch.names() == ["changes.jsonl", "changes.jsonl.unjournaled"])
        target = nil  // killed
        target = try await opened()
        #expect(try text() == "")
        _ = try await target?.write([Self.first])
        #expect(try numbers() == ["01"])
    }

    @Test("leaves what was there before unless somebody says what becomes of it", arguments: ExistingPolicy.allCases)
    func existing(policy: ExistingPolicy) async throws {
        let before = Array("{\"mine\":1}\n".utf8)
        try scratch.write(before, to: "changes.jsonl")
        func opened() async throws -> any Target {
            let target = try TargetSchemes.all.make("jsonl:\(scratch.file("changes.jsonl"))", existing: policy)
            try await target.open(recoveringTo: [])
            return target
        }
        guard policy != .refuse else {
            await #expect(throws: TargetError.self) { _ = try await opened() }
            #expect(try scratch.bytes(of: "changes.jsonl") == before)
            return
        }
        var target: (any Target)? = try await opened()
        _ = try await target?.write([Self.first])
        target = nil  // killed, and no journal knows of it
        target = try await opened()
        // What was there is there, and what was written since is not.
        #expect(try scratch.bytes(of: "changes.jsonl") == (policy == .append ? before : []))
        _ = try await target?.write([Self.first])
        #expect(try scratch.bytes(of: "changes.jsonl").starts(with: before) == (policy == .append))
        #expect(try scratch.names().contains("changes.jsonl.before") == (policy == .rename))
        if policy == .rename { #expect(try scratch.bytes(of: "changes.jsonl.before") == before) }
    }

    @Test("holds lines for journaled once a run ends in order, and leaves them to their journal")
    func ended() async throws {
        let target = try await opened()
        _ = try await target.write([Self.first])
        await target.close()
        #expect(try scratch.names() == ["changes.jsonl"])
        #expect(try await refusal([]).contains("this journal knows nothing of"))
        #expect(try numbers() == ["01"])
    }

    @Test("holds lines for journaled once a second batch of their shard comes, and leaves them to their journal")
    func journaled() async throws {
        let target = try await opened()
        _ = try await target.write([Self.first, Feed.batch(.orders, [])])
        _ = try await target.write([Self.second])
        #expect(try scratch.names() == ["changes.jsonl"])
        await target.close()
        #expect(try await refusal([]).contains("this journal knows nothing of"))
        #expect(try numbers() == ["01", "02", "03"])
    }

    @Test("holds lines for journaled once the journal hands a token back")
    func handedBack() async throws {
        let target = try await opened()
        let tokens = try await target.write([Self.first])
        await target.close()
        await (try opened(tokens)).close()
        #expect(try scratch.names() == ["changes.jsonl"])
    }

    // MARK: Other programs

    @Test("is held by one process")
    func held() async throws {
        let target = try await opened()
        #expect(try await refusal([]).contains("another process writes to the file"))
        await target.close()
        _ = try await opened()
    }

    @Test("refuses to write on after the file was removed, replaced, truncated or added to by others")
    func tampered() async throws {
        let target = try await opened()
        _ = try await target.write([Self.first])
        func refusal() async -> String {
            let error = await #expect(throws: TargetError.self) { _ = try await target.write([Self.second]) }
            return error?.isRetryable == false ? error?.description ?? "" : ""
        }
        let path = scratch.file("changes.jsonl")
        let handle = try #require(FileHandle(forWritingAtPath: path))
        let length = try handle.seekToEnd()
        try handle.write(contentsOf: Data("x".utf8))
        #expect(await refusal().contains("another program changed the file"))
        try handle.truncate(atOffset: 3)
        #expect(await refusal().contains("has 3 bytes instead of \(length)"))
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        #expect(await refusal().contains("removed or replaced"))
        try scratch.write([], to: "changes.jsonl")
        #expect(await refusal().contains("removed or replaced"))
        #expect(try scratch.bytes(of: "changes.jsonl") == [])
    }

    @Test("takes back a write that failed in its middle, and takes the rest afterwards")
    func failedWrite() async throws {
        let target = try await opened()
        _ = try await target.write([Self.first])
        let broken = Feed.batch(.people, first: 3, [.insert(keys: Self.bob, new: Self.bob)])
        let unreadable = Feed.scan(.people, ["{}"])
        await #expect(throws: TargetError.self) { _ = try await target.write([broken, unreadable]) }
        #expect(try numbers() == ["01"])
        _ = try await target.write([Self.second])
        #expect(try numbers() == ["01", "02", "03"])
    }
}
