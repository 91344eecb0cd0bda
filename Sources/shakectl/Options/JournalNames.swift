internal import ArgumentParser
internal import Foundation
internal import Glibc
internal import Journal
internal import StreamModel

/// What a shell offers for the name of a shard or a table: those of the journal that the line, the environment or the
/// configuration names.
struct JournalNames: Sendable {
    let shards: [Checkpoint]
    let tables: [TableName]

    static let ofShards = CompletionKind.custom { words, _, prefix in read(words).shards(prefix) }
    static let ofTables = CompletionKind.custom { words, _, prefix in read(words).tables(prefix) }
    static let ofBoth = CompletionKind.custom { words, _, prefix in
        let names = read(words)
        return names.tables(prefix) + names.shards(prefix)
    }

    // MARK: Rules

    /// More than a screen of them helps nobody.
    private static let most = 100

    /// Those that are read first, and then the youngest. A shard's id alone, where no other table has the same; or with its
    /// table, once a table is typed.
    func shards(_ prefix: String) -> [String] {
        let counts = shards.reduce(into: [ShardID: Int]()) { $0[$1.shard.shard, default: 0] += 1 }
        let sorted = shards.sorted {
            ($0.status.letsChildrenStart ? 1 : 0, $1.position) < ($1.status.letsChildrenStart ? 1 : 0, $0.position)
        }
        let names = sorted.map { shard in
            prefix.contains("/") || counts[shard.shard.shard] != 1 ? shard.shard.description : shard.shard.shard.text
        }
        return Array(names.lazy.filter { $0.hasPrefix(prefix) }.prefix(Self.most))
    }

    func tables(_ prefix: String) -> [String] {
        Array(tables.lazy.map(\.text).filter { $0.hasPrefix(prefix) }.prefix(Self.most))
    }

    /// What a line says after an option, as far as it is typed: as words, or joined by `=`. Quotes around it are the shell's.
    static func value(of option: String, in words: [String]) -> String? {
        for (index, word) in words.enumerated() {
            var value: String?
            if word == option, index + 1 < words.count { value = words[index + 1] }
            if word.hasPrefix("\(option)=") { value = String(word.dropFirst(option.count + 1)) }
            // bash takes the sign for a word of its own.
            if word == option, index + 2 < words.count, words[index + 1] == "=" { value = words[index + 2] }
            if let value { return value.filter { $0 != "\"" && $0 != "'" && $0 != "\\" } }
        }
        return nil
    }

    // MARK: Reading

    /// Nobody has asked for an error: what can't be read has no names.
    private static func read(_ words: [String]) -> JournalNames {
        // Damage is told by the line of a program that ends; here it would go across what is being typed.
        let nowhere = unsafe open("/dev/null", O_WRONLY | O_CLOEXEC)
        if nowhere >= 0 { dup2(nowhere, STDERR_FILENO) }
        var flags = Settings()
        flags.journal = value(of: "--journal", in: words)
        do {
            let configuration = try Configuration(
                flags: flags, file: value(of: "--config", in: words), environment: ProcessInfo.processInfo.environment,
                read: TextFile.read)
            let journal = try Journal.open(configuration.journal, .reader)
            let shards = try journal.checkpoints()
            let tables = try Set(journal.tables().map(\.table)).union(shards.map(\.shard.table))
            return JournalNames(shards: shards, tables: tables.sorted())
        } catch {
            return JournalNames(shards: [], tables: [])
        }
    }
}
