internal import Journal
internal import StreamModel

/// The lineage of one stream's shards, laid out for a reader: parents above their children.
struct ShardTree: Sendable {
    struct Line: Hashable, Sendable {
        /// `├─ `, `└─ ` and what leads there.
        let prefix: String
        let content: Content
    }

    enum Content: Hashable, Sendable {
        case shard(Checkpoint)
        /// So many shards in a row, each the only child of the one before, all read to their end.
        case finished(Int)
    }

    /// A table turns each of its shards over some six times a day: a longer run of finished shards is drawn as its two
    /// ends, or the tree would soon be wider than any screen.
    static let longestRun = 5

    let lines: [Line]

    /// - Parameter checkpoints: of one stream.
    init(_ checkpoints: [Checkpoint]) {
        let children = Self.children(checkpoints)
        var lines: [Line] = []
        var hidden: Set<ShardID> = []
        var indents: [ShardID: String] = [:]

        for step in Self.walk(checkpoints, children) where !hidden.contains(step.shard) {
            let indent = step.parent.flatMap { indents[$0] } ?? ""
            let branch =
                switch step.parent {
                case nil: ""
                case let parent?: children[parent]?.last?.shard.shard == step.shard ? "└─ " : "├─ "
                }
            lines.append(Line(prefix: indent + branch, content: .shard(step.checkpoint)))
            let below = indent + (branch.isEmpty ? "" : branch == "└─ " ? "   " : "│  ")
            indents[step.shard] = below

            let run = Self.finishedRun(below: step.checkpoint, children)
            if run.count > Self.longestRun {
                let skipped = run.dropLast()
                hidden.formUnion(skipped.map(\.shard.shard))
                lines.append(Line(prefix: below + "└─ ", content: .finished(skipped.count)))
                if let last = skipped.last { indents[last.shard.shard] = below + "   " }
            }
        }
        self.lines = lines
    }

    /// Every shard of the stream, parents before their children.
    static func order(_ checkpoints: [Checkpoint]) -> [Checkpoint] {
        walk(checkpoints, children(checkpoints)).map(\.checkpoint)
    }

    /// The children of each shard, in the order of their sequence numbers.
    static func children(_ checkpoints: [Checkpoint]) -> [ShardID: [Checkpoint]] {
        var children: [ShardID: [Checkpoint]] = [:]
        for checkpoint in checkpoints {
            if let parent = checkpoint.parent { children[parent, default: []].append(checkpoint) }
        }
        return children.mapValues { $0.sorted(by: inOrder) }
    }

    private struct Step {
        let checkpoint: Checkpoint
        /// `nil` for a shard that is drawn as a root.
        let parent: ShardID?
        var shard: ShardID { checkpoint.shard.shard }
    }

    /// Depth first, each shard once. A stack and not a recursion: a lineage is as deep as the table is old.
    private static func walk(_ checkpoints: [Checkpoint], _ children: [ShardID: [Checkpoint]]) -> [Step] {
        let known = Set(checkpoints.map(\.shard.shard))
        let sorted = checkpoints.sorted(by: inOrder)
        let roots = sorted.filter { checkpoint in checkpoint.parent.map { !known.contains($0) } ?? true }
        var steps: [Step] = []
        var visited: Set<ShardID> = []
        // After the roots everything once more, so that nothing is left out, even of a lineage that runs in a circle
        // (which no service should list).
        for root in roots + sorted {
            var stack = [Step(checkpoint: root, parent: nil)]
            while let step = stack.popLast() {
                guard visited.insert(step.shard).inserted else { continue }
                steps.append(step)
                let below = children[step.shard] ?? []
                stack += below.reversed().map { Step(checkpoint: $0, parent: step.shard) }
            }
        }
        return steps
    }

    /// The finished shards below a finished one, as long as each is an only child.
    private static func finishedRun(below root: Checkpoint, _ children: [ShardID: [Checkpoint]]) -> [Checkpoint] {
        guard root.status.letsChildrenStart else { return [] }
        var run: [Checkpoint] = []
        var seen: Set<ShardID> = [root.shard.shard]
        var last = root
        while let only = children[last.shard.shard], only.count == 1, let child = only.first,
            child.status.letsChildrenStart, seen.insert(child.shard.shard).inserted
        {
            run.append(child)
            last = child
        }
        return run
    }

    private static func inOrder(_ a: Checkpoint, _ b: Checkpoint) -> Bool {
        switch (a.range.starting, b.range.starting) {
        case (let first?, let second?) where first != second: first < second
        case (nil, _?): true
        case (_?, nil): false
        default: a.shard < b.shard
        }
    }
}
