internal import MongoC
internal import StreamModel

/// What one write does to one collection: to each of its keys one thing.
struct CollectionWrites {
    struct Write {
        enum Change {
            case replace(filter: Document, with: Document)
            case delete(filter: Document)
        }

        let change: Change
        let record: StreamModel.Change
        /// Of the record.
        let batch: Int

        fileprivate var isUpsert: Bool { if case .replace = change { true } else { false } }
    }

    let collection: String
    private var writes: [Write] = []

    init(_ collection: String) { self.collection = collection }

    /// In bytes; `nil` where it writes no document.
    var sizeOfLast: Int? {
        guard case .replace(_, let document)? = writes.last?.change else { return nil }
        return document.byteCount
    }

    mutating func append(_ write: Write) { writes.append(write) }

    /// Replacements, then deletions, where there are any. No two writes touch one document, so any order is as good.
    var byKind: [[Write]] { [writes.filter(\.isUpsert), writes.filter { !$0.isUpsert }].filter { !$0.isEmpty } }

    /// libmongoc sends writes of one kind that stand side by side as one command.
    var upsertsFirst: [Write] { byKind.flatMap(\.self) }
}
