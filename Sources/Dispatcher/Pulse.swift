package import StreamModel
internal import Synchronization

/// Whether everything is in step and for how long nothing came: what `--until-idle` asks.
///
/// A table is busy from its start until it follows, and whenever it looks for shards; a shard is busy until it has been
/// asked, had nothing new, and everything before is durable.
package final class Pulse: Sendable {
    private struct State {
        var busyTables: Set<TableName>
        var busyShards: Set<ShardKey> = []
        var lastActivity: Duration
    }

    private let state: Mutex<State>
    private let uptime: @Sendable () -> Duration

    package init(tables: [TableName], uptime: @escaping @Sendable () -> Duration) {
        self.uptime = uptime
        state = Mutex(State(busyTables: Set(tables), lastActivity: uptime()))
    }

    /// The table is begun, or looks for shards.
    package func busy(_ table: TableName) { touch { $0.busyTables.insert(table).inserted } }

    /// The table follows its stream and has nothing to look for, or it waits for an operator.
    package func atRest(_ table: TableName) { touch { $0.busyTables.remove(table) != nil } }

    /// A reader takes the shard up.
    package func took(_ shard: ShardKey) { touch { $0.busyShards.insert(shard).inserted } }
    /// Its reader has ended.
    package func released(_ shard: ShardKey) { touch { $0.busyShards.remove(shard) != nil } }

    /// The table's readers are gone.
    package func dropShards(of table: TableName) {
        touch { state in
            let count = state.busyShards.count
            state.busyShards = state.busyShards.filter { $0.table != table }
            return state.busyShards.count != count
        }
    }

    /// Whether the shard has shown all that it has, and all of that is durable.
    package func set(_ shard: ShardKey, inStep: Bool) {
        state.withLock { state in
            if inStep {
                state.busyShards.remove(shard)
            } else if state.busyShards.insert(shard).inserted {
                state.lastActivity = uptime()
            }
        }
    }

    /// Something was made durable.
    package func moved() { touch { _ in true } }

    /// How long nothing has come; `nil` while something is going on.
    package func idleTime() -> Duration? {
        state.withLock { state in
            state.busyTables.isEmpty && state.busyShards.isEmpty ? uptime() - state.lastActivity : nil
        }
    }

    /// Only what changed something is activity: a look at a listing that brought nothing is none.
    private func touch(_ body: (inout State) -> Bool) {
        state.withLock { state in
            if body(&state) { state.lastActivity = uptime() }
        }
    }
}
