/// Where in an item: `a.b[0].#c`, its names resolved.
struct DocumentPath: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case name([UInt8])
        case index(Int)
    }

    /// Of the attribute.
    let head: [UInt8]
    var steps: [Step] = []

    init(_ head: [UInt8]) { self.head = head }

    /// What stands there, as an attribute value's JSON; `nil` where nothing does. Only what is on the way is looked at.
    func find(in item: JSONView) -> JSONView? {
        guard var place = item.member(head) else { return nil }
        for step in steps {
            guard let (kind, value) = Value.typed(place) else { return nil }
            switch (kind, step) {
            case (.map, .name(let name)):
                guard let next = value.member(name) else { return nil }
                place = next
            case (.list, .index(let index)):
                var count = 0
                var found: JSONView?
                _ = value.elements { element in
                    if count == index { found = element }
                    count += 1
                    return found == nil
                }
                guard let found else { return nil }
                place = found
            default: return nil
            }
        }
        return place
    }
}
