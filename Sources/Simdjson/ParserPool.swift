internal import Synchronization

/// Parsers that wait for their next body. Each has scratch memory of some megabytes, so few are kept.
final class ParserPool: Sendable {
    static let shared = ParserPool(limit: 4)

    /// A body larger than this is rare, and a parser that has seen one is let go of, with its memory.
    private static let largestKept = 8 << 20

    private let idle = Mutex<[Box]>([])
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Lends a parser to `body`, which nobody else uses meanwhile.
    func with<R>(_ body: (inout Parser) throws(SimdjsonError) -> R) throws(SimdjsonError) -> R {
        let box = idle.withLock { $0.popLast() } ?? Box()
        defer {
            if box.parser.capacity <= Self.largestKept {
                idle.withLock { if $0.count < limit { $0.append(box) } }
            }
        }
        return try body(&box.parser)
    }

    /// `@unchecked Sendable`: it is either in the pool, where nobody uses it, or with one caller of `with`.
    private final class Box: @unchecked Sendable {
        var parser = Parser()
    }
}
