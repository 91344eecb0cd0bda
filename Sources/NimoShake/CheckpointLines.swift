internal import Foundation

/// NimoShake's files: one JSON object a line, each line ended by a line feed, one file a table.
///
/// It rewrites the whole file in place at each checkpoint, so a crash of its host cuts a file off anywhere.
enum CheckpointLines {
    /// As `encoding/json` writes and reads it: what is missing is an empty text.
    private struct Row: Decodable {
        var shard: String?
        var father: String?
        var sequenceNumber: String?
        var status: String?
        var worker: String?
        var iteratorType: String?
        var storedIterator: String?
        var updated: String?
        var approximateTime: String?

        enum CodingKeys: String, CodingKey {
            case shard = "ShardId"
            case father = "FatherId"
            case sequenceNumber = "SequenceNumber"
            case status = "Status"
            case worker = "WorkerId"
            case iteratorType = "IteratorType"
            case storedIterator = "ShardIt"
            case updated = "UpdateDate"
            case approximateTime = "ApproximateTime"
        }
    }

    private struct StatusRow: Decodable {
        var key: String?
        var value: String?

        enum CodingKeys: String, CodingKey {
            case key = "Key"
            case value = "StatusValue"
        }
    }

    /// Why a line can't be one of its.
    struct Broken: Error, Hashable {
        let line: Int
        let reason: String
    }

    /// - Returns: the rows, and whether the last line was cut off. One that only lacks its line feed is whole all the same.
    static func read(_ data: Data) throws(Broken) -> (rows: [NimoShakeCheckpoint], isTorn: Bool) {
        var rows: [NimoShakeCheckpoint] = []
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let isLast = index == lines.count - 1
            if line.isEmpty, isLast { break }
            guard let row = row(line) else {
                if isLast { return (rows, true) }
                let isBlank = line.allSatisfy { $0 == 0 }
                throw Broken(line: index + 1, reason: isBlank ? "it is blank" : "it is not the JSON of a shard")
            }
            rows.append(row)
        }
        return (rows, false)
    }

    private static func row(_ line: Data) -> NimoShakeCheckpoint? {
        guard let row = try? JSONDecoder().decode(Row.self, from: line), let shard = row.shard, !shard.isEmpty else {
            return nil
        }
        return NimoShakeCheckpoint(
            shard: shard, father: row.father ?? "", sequenceNumber: row.sequenceNumber ?? "",
            status: row.status ?? "", worker: row.worker ?? "", iteratorType: row.iteratorType ?? "",
            storedIterator: row.storedIterator ?? "", updated: row.updated ?? "",
            approximateTime: row.approximateTime ?? "")
    }

    /// `nil` where it is no status.
    static func status(_ data: Data) -> String? {
        guard let row = try? JSONDecoder().decode(StatusRow.self, from: data), row.key != nil else { return nil }
        return row.value ?? ""
    }
}
