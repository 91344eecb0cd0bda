extension Simulator {
    /// - Throws: ResourceNotFoundException.
    package mutating func apply(_ change: Workload.Change, to table: Text) throws(ServiceError) {
        let schema = try self.table(named: table).schema
        switch change {
        case .put(let item): self.change(try schema.key(of: item), to: item, of: table)
        case .delete(let key): self.change(try schema.key(alone: key), to: nil, of: table)
        }
    }

    /// Makes `changes` changes at once.
    mutating func load(_ table: Text, changes: Int, keys: Int, hot: Int) throws(ServiceError) {
        let schema = try activeTable(table).schema
        var workload = Workload(schema, keys: keys, hot: hot, seed: chance.next())
        for _ in 0..<changes { try apply(workload.next(), to: table) }
    }

    /// From now on, until it is told otherwise or the table is gone; none with `perSecond` 0.
    mutating func steadyLoad(_ table: Text, perSecond: Double, keys: Int, hot: Int) throws(ServiceError) {
        let schema = try activeTable(table).schema
        loads[table] =
            perSecond > 0
            ? SteadyLoad(
                workload: Workload(schema, keys: keys, hot: hot, seed: chance.next()), perSecond: perSecond, since: now)
            : nil
    }

    /// Makes what has become due.
    mutating func catchUp() {
        for table in loads.keys.sorted() {
            guard tables[table] != nil else {
                loads[table] = nil
                continue
            }
            for _ in 0..<(loads[table]?.due(at: now) ?? 0) {
                guard let change = loads[table]?.workload.next() else { break }
                // The workload knows the table's schema, so that nothing can be wrong with it.
                try? apply(change, to: table)
            }
        }
    }
}
