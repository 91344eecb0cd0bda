internal import StreamModel
internal import StreamSim

/// The plan's words in the simulated service's.
extension Settings {
    init(_ plan: Plan) {
        self.init()
        shardsOfAPage = plan.listingPage
        recordsOfAPage = plan.pageSize
        itemsOfAPage = max(plan.pageSize, 5)
        listingLag = Int64(plan.listingLag / .microseconds(1))
        emptyPages = plan.emptyPages
        spellsEndAsNull = plan.seed.isMultiple(of: 2)
    }

    mutating func fail(_ share: Int) { faults = share }
}

extension TableDefinition {
    init(_ schema: TableSchema, shards: Int) {
        self.init(name: schema.name.text, hasSortKey: schema.range != nil, shards: shards)
    }
}

extension Item {
    /// The key of the `index`th item.
    static func key(_ schema: TableSchema, _ index: Int) -> Item {
        Item(id: "item-\(index / 2)", at: schema.range == nil ? nil : index)
    }

    func with(version: Int, text: String) -> Item {
        var item = self
        item.version = version
        item.text = text
        return item
    }
}
