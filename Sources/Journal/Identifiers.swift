/// The place of an event in the whole journal: 1, 2, 3 …
package struct Position: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: UInt64
    package init(_ number: UInt64) { self.number = number }
    /// Before the first event.
    package static let origin = Position(0)
    package var next: Position { Position(number &+ 1) }
    package var description: String { String(number) }
    package static func < (a: Position, b: Position) -> Bool { a.number < b.number }
}

/// The place of an event among those of its shard: 1, 2, 3 …
package struct Revision: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: UInt64
    package init(_ number: UInt64) { self.number = number }
    /// A shard that the journal doesn't know.
    package static let none = Revision(0)
    package var next: Revision { Revision(number &+ 1) }
    package var description: String { String(number) }
    package static func < (a: Revision, b: Revision) -> Bool { a.number < b.number }
}

/// One start of a process that writes to the journal: the position of its `run_started`.
package struct RunID: Hashable, Sendable, CustomStringConvertible {
    package let position: Position
    package init(_ position: Position) { self.position = position }
    package var description: String { position.description }
}
