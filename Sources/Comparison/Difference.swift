package import StreamModel

/// An item, by its attributes' names.
package typealias Item = [[UInt8]: AttributeValue]

/// How the target's copy of an item differs from the source's.
package enum Difference: Hashable, Sendable {
    /// The source has it, the target not.
    case missing
    /// The target has it, the source not.
    case extra
    /// Both have it, with these attributes not equal, in the order of their names.
    case different(attributes: [[UInt8]])

    /// `nil` where they are equal, by value: numbers as decimals, sets without order, texts and names by their bytes.
    ///
    /// - Parameters:
    ///   - source: as the target would give it back (`Target.kept`).
    package init?(source: Item?, target: Item?) {
        switch (source, target) {
        case (nil, nil): return nil
        case (_?, nil): self = .missing
        case (nil, _?): self = .extra
        case (let source?, let target?):
            let names = Set(source.keys).union(target.keys).filter { source[$0] != target[$0] }
            guard !names.isEmpty else { return nil }
            self = .different(attributes: names.sorted { $0.lexicographicallyPrecedes($1) })
        }
    }

    package var kind: Kind {
        switch self {
        case .missing: .missing
        case .extra: .extra
        case .different: .different
        }
    }

    package enum Kind: String, CaseIterable, Hashable, Sendable {
        case missing
        case extra
        case different
    }
}
