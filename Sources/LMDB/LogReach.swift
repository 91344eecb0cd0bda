internal import Glibc

/// How far a table whose keys are numbers, the highest byte first, can be read in a file that was cut: its pages are read from the file and
/// not through the map, which would end the process at the first that is missing.
///
/// Source: mdb.c (0.9), as `PageCensus`.
package struct LogReach {
    package enum Outcome: Hashable, Sendable {
        /// All of the table's pages are there, or what is wrong is no cut.
        case notCut
        /// The last key before the first page that the file has no more, and its value; 0 where it has none.
        case cut(after: UInt64, value: [UInt8])
    }

    private enum Stop: Error { case cut, otherwise }

    private let file: Int32
    private let pageSize: Int
    private let length: UInt64
    private var last: (key: UInt64, value: Range<UInt64>) = (0, 0..<0)
    /// Pages that may still be looked at: a damaged branch may name one over and over.
    private var left: UInt64

    /// - Throws: where the file can't be opened.
    package static func look(_ path: String, table: String) throws(LMDBError) -> Outcome {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw LMDBError(code: errno, call: "open") }
        defer { _ = close(file) }
        let metas = Page.metas(file)
        guard let meta = metas.max(by: { $0.number64(144) < $1.number64(144) }), var reach = LogReach(file, meta)
        else { return .notCut }
        do throws(Stop) {
            try reach.read(meta, table)
            return .notCut
        } catch {
            // By somebody who writes meanwhile pages are used again, and then what was read is none of this tree.
            return error == .cut && metas == Page.metas(file) ? reach.outcome : .notCut
        }
    }

    private init?(_ file: Int32, _ meta: Page) {
        self.file = file
        pageSize = meta.number32(40)
        var facts = stat()
        guard unsafe fstat(file, &facts) == 0, (512...32768).contains(pageSize) else { return nil }
        length = UInt64(max(0, facts.st_size))
        left = length / UInt64(pageSize) + 1
    }

    private var outcome: Outcome {
        let value = Page(file, at: last.value.lowerBound, count: last.value.count)
        return .cut(after: last.key, value: value?.bytes.map { $0 } ?? [])
    }

    /// Of the second tree of a meta page, which lists the tables, and of that of a table: depth and root.
    private mutating func read(_ meta: Page, _ table: String) throws(Stop) {
        var found: (depth: Int, root: UInt64)?
        try visit(meta.number64(128), height: meta.number16(94)) { (page, node, start) throws(Stop) in
            guard page.text(node + 8..<start) == table else { return }
            guard start + 48 <= page.count else { throw .otherwise }
            found = (page.number16(start + 6), page.number64(start + 40))
        }
        guard let found, found.root != .max else { return }
        var last = last
        let (length, pageSize) = (length, UInt64(pageSize))
        defer { self.last = last }
        try visit(found.root, height: found.depth) { (page, node, start) throws(Stop) in
            guard start - node - 8 == 8 else { throw .otherwise }
            let bytes = UInt64(page.number32(node))
            var place = page.number64(0) * pageSize + UInt64(start)
            if page.number16(node + 4) & 1 != 0 {
                guard start + 8 <= page.count, page.number64(start) < 1 << 40 else { throw .otherwise }
                // A value that is too long for a leaf, behind the header of its first page.
                place = page.number64(start) * pageSize + 16
            }
            guard place + bytes <= length else { throw .cut }
            last = (UInt64(bigEndian: page.number64(node + 8)), place..<place + bytes)
        }
    }

    /// Gives each entry of the leaves to `body`, in order: the page, and where in it entry and value begin.
    private mutating func visit(
        _ number: UInt64, height: Int, _ body: (_ page: Page, _ node: Int, _ value: Int) throws(Stop) -> Void
    ) throws(Stop) {
        guard (1...32).contains(height), number > 1, number < 1 << 40, left > 0 else { throw .otherwise }
        left -= 1
        guard let page = Page(file, at: number * UInt64(pageSize), count: pageSize) else { throw .cut }
        let (lower, upper) = (page.number16(12), page.number16(14))
        guard page.number64(0) == number, page.number16(10) & 0x6F == (height == 1 ? 2 : 1), lower >= 16,
            lower <= upper, upper <= pageSize
        else { throw .otherwise }
        for place in stride(from: 16, to: lower - 1, by: 2) {
            let node = page.number16(place)
            guard node >= upper, node + 8 <= pageSize else { throw .otherwise }
            let value = node + 8 + page.number16(node + 6)
            guard value <= pageSize else { throw .otherwise }
            guard height == 1 else {
                let child = UInt64(page.number32(node)) | UInt64(page.number16(node + 4)) << 32
                try visit(child, height: height - 1, body)
                continue
            }
            try body(page, node, value)
        }
    }
}
