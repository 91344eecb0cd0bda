internal import Glibc

/// Goes through the pages of a data file as one transaction sees them: each belongs to one tree, once, or is free; and the keys
/// of each tree are in order, without which an entry that is there is not found.
///
/// LMDB has no checksums and believes what it reads. A page from an older time, or from elsewhere in the file, is whole to
/// look at; but then the trees and the list of free pages contradict each other, and the next commit would write over pages
/// that are in use. Here every page is read from the file and not through the map, and nothing in it is believed.
///
/// Source: mdb.c (0.9), MDB_page, MDB_node, MDB_db, MDB_meta, `mdb_freelist_save`.
package struct PageCensus {
    package enum Outcome: Hashable, Sendable {
        case whole
        /// Others have committed so much since that the transaction's meta page is gone: look again.
        case overtaken
        case damaged(String)
    }

    private struct Contradiction: Error { let text: String }

    private enum Use: UInt8 { case none, tree, free }

    private static let header = 16
    private static let noPage = UInt64.max

    private let file: Int32
    private let pageSize: Int
    private let lastPage: UInt64
    private var uses: [Use]

    /// - Parameters:
    ///   - transaction: the snapshot that is read, which is open meanwhile: no page of it is written to.
    ///   - sparing: a table whose leaves are counted and not read where it has more of them than `limit`.
    package static func take(
        _ path: String, transaction: Int, sparing table: String, above limit: UInt64
    ) throws(LMDBError) -> Outcome {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw LMDBError(code: errno, call: "open") }
        defer { _ = close(file) }
        // A meta page is written as one piece that is shorter than a sector; twice the same is not half of two.
        let metas = Page.metas(file)
        guard metas == Page.metas(file), let meta = metas.first(where: { $0.number64(144) == UInt64(transaction) })
        else {
            return .overtaken
        }
        do throws(Contradiction) {
            var census = try PageCensus(file, meta)
            try census.count(meta, sparing: table, above: limit)
            return .whole
        } catch {
            return .damaged(error.text)
        }
    }

    private init(_ file: Int32, _ meta: Page) throws(Contradiction) {
        self.file = file
        pageSize = meta.number32(40)
        lastPage = meta.number64(136)
        var facts = stat()
        guard unsafe fstat(file, &facts) == 0, pageSize >= 512, pageSize <= 32768, lastPage < 1 << 40 else {
            throw Contradiction(text: "the first pages of data.mdb can't be read")
        }
        // A file may be shorter than what is in use by the pages that came and went within a transaction, and no more.
        guard lastPage <= UInt64(facts.st_size) / UInt64(pageSize) + 1 << 20 else {
            throw Contradiction(text: "its first pages say that \(lastPage) pages are in use, and it is much shorter")
        }
        uses = [Use](repeating: .none, count: Int(lastPage) + 1)
    }

    private mutating func count(
        _ meta: Page, sparing spared: String, above limit: UInt64
    ) throws(Contradiction) {
        var tables: [(name: String, tree: Tree)] = []
        try walk(Tree(meta, at: 88), "the list of tables") { (node, _) throws(Contradiction) in
            // Whatever lies beside the tables is none of ours; and what lies elsewhere is none that is read here.
            guard node.isTable, !node.isElsewhere, node.size == Tree.size else { return }
            tables.append((node.key, Tree(node.page, at: node.start)))
        }
        for (name, tree) in tables {
            try walk(tree, "table \(name)", readsLeaves: name != spared || tree.leaves <= limit)
        }
        var free: [UInt64] = []
        try walk(Tree(meta, at: 40), "the list of free pages") { (node, census) throws(Contradiction) in
            let value = try census.value(of: node)
            guard value.count >= 8, value.number64(0) <= UInt64(value.count / 8 - 1) else {
                throw Contradiction(text: "an entry of the list of free pages can't be read")
            }
            for index in 0..<Int(value.number64(0)) { free.append(value.number64(8 * (index + 1))) }
        }
        for page in free { try claim(page, .free, "the list of free pages") }
    }

    // MARK: - Trees

    private struct Tree {
        static let size = 48

        /// Whether its keys are numbers, as this machine has them (`MDB_INTEGERKEY`), and not bytes.
        let hasNumbers: Bool
        let depth: Int
        let branches: UInt64
        let leaves: UInt64
        let overflows: UInt64
        let entries: UInt64
        let root: UInt64

        init(_ page: Page, at place: Int) {
            hasNumbers = page.number16(place + 4) & 8 != 0
            depth = page.number16(place + 6)
            branches = page.number64(place + 8)
            leaves = page.number64(place + 16)
            overflows = page.number64(place + 24)
            entries = page.number64(place + 32)
            root = page.number64(place + 40)
        }
    }

    /// An entry of a leaf.
    private struct Node {
        let page: Page
        let key: String
        let flags: Int
        let size: Int
        /// Of its value, or of the number of the first page of that.
        let start: Int

        var isElsewhere: Bool { flags & 1 != 0 }
        var isTable: Bool { flags & 2 != 0 }
    }

    /// Which keys a page may have: as the pages above it say.
    private struct Bounds {
        var from: Page?
        /// The first that it may not have.
        var to: Page?

        /// Whether `keys` lie within, each after the one before it.
        func hold(_ keys: some Collection<Page>, areNumbers: Bool) -> Bool {
            var last: Page?
            for key in keys {
                if let last { guard last.isBefore(key, areNumbers) else { return false } }
                last = key
            }
            if let first = keys.first, let from, first.isBefore(from, areNumbers) { return false }
            if let last, let to { return last.isBefore(to, areNumbers) }
            return true
        }
    }

    private struct Found: Equatable {
        var branches: UInt64 = 0
        var leaves: UInt64 = 0
        var overflows: UInt64 = 0
        var entries: UInt64 = 0

        /// Not added up: what a damaged page says may be any numbers.
        var text: String { "\(entries) entries on \(branches) + \(leaves) + \(overflows) pages" }
    }

    private mutating func walk(
        _ tree: Tree, _ name: String, readsLeaves: Bool = true,
        _ body: (Node, PageCensus) throws(Contradiction) -> Void = { _, _ in }
    ) throws(Contradiction) {
        var found = Found()
        if tree.root != Self.noPage {
            // LMDB's cursors go no deeper (mdb.c, CURSOR_STACK).
            guard (1...32).contains(tree.depth) else {
                throw Contradiction(text: "\(name) is \(tree.depth) pages deep")
            }
            try visit(tree.root, height: tree.depth, tree, Bounds(), name, readsLeaves, &found, body)
        }
        var expected = Found(
            branches: tree.branches, leaves: tree.leaves, overflows: tree.overflows, entries: tree.entries)
        if !readsLeaves { (expected.overflows, expected.entries) = (0, 0) }
        guard found == expected else {
            throw Contradiction(text: "\(name) has \(found.text), and should have \(expected.text)")
        }
    }

    private mutating func visit(
        _ number: UInt64, height: Int, _ tree: Tree, _ bounds: Bounds, _ name: String, _ readsLeaves: Bool,
        _ found: inout Found, _ body: (Node, PageCensus) throws(Contradiction) -> Void
    ) throws(Contradiction) {
        try claim(number, .tree, name)
        let isLeaf = height == 1
        if isLeaf { found.leaves += 1 } else { found.branches += 1 }
        guard !isLeaf || readsLeaves else { return }
        let page = try read(number, name)
        let (lower, upper) = (page.number16(12), page.number16(14))
        guard page.number16(10) & 0x6F == (isLeaf ? 2 : 1), lower >= Self.header, lower <= upper, upper <= pageSize
        else {
            throw Contradiction(text: "page \(number), of \(name), is not the page that it should be")
        }
        var nodes: [(place: Int, key: Page)] = []
        for place in stride(from: Self.header, to: lower - 1, by: 2) {
            let node = page.number16(place)
            guard node >= upper, node + 8 <= pageSize, node + 8 + page.number16(node + 6) <= pageSize else {
                throw Contradiction(text: "page \(number), of \(name), has an entry outside of itself")
            }
            nodes.append((node, page.piece(node + 8..<node + 8 + page.number16(node + 6))))
        }
        // What the first key of a branch is, its parent says: LMDB doesn't look at it (mdb.c, `mdb_node_search`).
        let keys = nodes.map(\.key).dropFirst(isLeaf ? 0 : 1)
        guard bounds.hold(keys, areNumbers: tree.hasNumbers) else {
            throw Contradiction(text: "page \(number), of \(name), has its keys out of order")
        }
        for (index, (node, key)) in nodes.enumerated() {
            guard isLeaf else {
                let child = UInt64(page.number32(node)) | UInt64(page.number16(node + 4)) << 32
                let within = Bounds(
                    from: index == 0 ? bounds.from : key, to: index + 1 < nodes.count ? nodes[index + 1].key : bounds.to
                )
                try visit(child, height: height - 1, tree, within, name, readsLeaves, &found, body)
                continue
            }
            found.entries += 1
            let start = node + 8 + key.count
            let entry = Node(
                page: page, key: key.text(0..<key.count), flags: page.number16(node + 4), size: page.number32(node),
                start: start)
            guard start + (entry.isElsewhere ? 8 : entry.size) <= pageSize else {
                throw Contradiction(text: "page \(number), of \(name), has an entry that is longer than itself")
            }
            if entry.isElsewhere { found.overflows += try claimOverflow(of: entry, name) }
            try body(entry, self)
        }
    }

    /// The pages of a value that is too long for a leaf.
    private mutating func claimOverflow(of node: Node, _ name: String) throws(Contradiction) -> UInt64 {
        let first = node.page.number64(node.start)
        guard first <= lastPage else {
            throw Contradiction(text: "\(name) has a page \(first), beyond the file's last")
        }
        let page = try read(first, name)
        // A value that was overwritten by a shorter one may keep its pages.
        let (needed, count) = ((Self.header - 1 + node.size) / pageSize + 1, page.number32(12))
        guard page.number16(10) & 0x6F == 4, count >= needed, UInt64(count) <= lastPage else {
            throw Contradiction(text: "page \(first), of \(name), is not the page that it should be")
        }
        for number in first..<first + UInt64(count) { try claim(number, .tree, name) }
        return UInt64(count)
    }

    private func value(of node: Node) throws(Contradiction) -> Page {
        guard node.isElsewhere else { return node.page.piece(node.start..<node.start + node.size) }
        let start = node.page.number64(node.start) * UInt64(pageSize) + UInt64(Self.header)
        guard let value = Page(file, at: start, count: node.size) else {
            throw Contradiction(text: "the file ends within an entry of the list of free pages")
        }
        return value
    }

    private mutating func claim(_ number: UInt64, _ use: Use, _ name: String) throws(Contradiction) {
        guard number > 1, number <= lastPage else {
            throw Contradiction(text: "\(name) has a page \(number), which there can't be")
        }
        switch (uses[Int(number)], use) {
        case (.none, _): uses[Int(number)] = use
        case (.tree, .free): throw Contradiction(text: "page \(number) is in use, and in the list of free pages")
        case (.tree, _), (.free, _): throw Contradiction(text: "page \(number), of \(name), is there twice")
        }
    }

    private func read(_ number: UInt64, _ name: String) throws(Contradiction) -> Page {
        guard let page = Page(file, at: number * UInt64(pageSize), count: pageSize) else {
            throw Contradiction(text: "data.mdb ends before page \(number), of \(name)")
        }
        guard page.number64(0) == number else {
            throw Contradiction(text: "in the place of page \(number), of \(name), is another one")
        }
        return page
    }
}
