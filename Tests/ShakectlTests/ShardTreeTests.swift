import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("The lineage as a tree")
struct ShardTreeTests {
    private func drawn(_ checkpoints: [Checkpoint]) -> [String] {
        ShardTree(checkpoints).lines.map { line in
            switch line.content {
            case .shard(let checkpoint): line.prefix + checkpoint.shard.shard.text
            case .finished(let count): line.prefix + "… \(count)"
            }
        }
    }

    @Test("Parents stand above their children, and children in the order of their numbers, not their names")
    func split() {
        let shards = [
            Sample.shard("c", parent: "a", starting: "9"), Sample.shard("a", .done, starting: "1"),
            Sample.shard("b", parent: "a", starting: "10"), Sample.shard("d", parent: "c", starting: "20"),
            Sample.shard("e", parent: "b", starting: "21"),
        ]
        #expect(
            drawn(shards) == [
                "a",
                "├─ c",
                "│  └─ d",
                "└─ b",
                "   └─ e",
            ])
    }

    @Test("A shard whose parent is no longer known is a root")
    func roots() {
        #expect(
            drawn([Sample.shard("b", parent: "trimmed", starting: "2"), Sample.shard("a", starting: "1")]) == [
                "a", "b",
            ])
    }

    @Test("A long run of finished shards is drawn as its ends; each shard is still listed")
    func longRun() {
        let run = (0..<8).map { number in
            Sample.shard(
                "s\(number)", parent: number == 0 ? nil : "s\(number - 1)", number == 7 ? .inProcessing : .done)
        }
        #expect(drawn(run) == ["s0", "└─ … 5", "   └─ s6", "      └─ s7"])
        #expect(ShardTree.order(run).map(\.shard.shard.text) == run.map(\.shard.shard.text))
    }

    @Test("A short run of finished shards is drawn whole")
    func shortRun() {
        let run = (0..<4).map { number in
            Sample.shard("s\(number)", parent: number == 0 ? nil : "s\(number - 1)", .done)
        }
        #expect(drawn(run) == ["s0", "└─ s1", "   └─ s2", "      └─ s3"])
    }

    @Test("A lineage that runs in a circle ends, and leaves nothing out")
    func circle() {
        let shards = [
            Sample.shard("a", parent: "b", .done), Sample.shard("b", parent: "a", .done),
            Sample.shard("c", parent: "c"),
        ]
        #expect(Set(ShardTree.order(shards).map(\.shard.shard.text)) == ["a", "b", "c"])
    }

    @Test("A lineage as deep as years is laid out")
    func deep() {
        let chain = (0..<20_000).map { number in
            Sample.shard(
                "s\(number)", parent: number == 0 ? nil : "s\(number - 1)", .done, starting: String(number))
        }
        #expect(ShardTree(chain).lines.count == 3)
        #expect(ShardTree.order(chain).count == chain.count)
    }
}
