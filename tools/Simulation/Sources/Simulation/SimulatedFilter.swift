package import Filter
internal import StreamSim

/// The filter of a table, and what it must leave of each change: found in the bytes of the images, by none of the daemon's code.
package struct SimulatedFilter: Sendable {
    package enum Verdict: String, CaseIterable, Sendable {
        case matches = "a change after which the item matches"
        /// The item may have matched before: what the target may hold of it goes.
        case isDeleted = "a change after which it does not"
        /// The item is known not to have matched before.
        case isLeftOut = "a change that is left out"
    }

    /// As the daemon is given it.
    package let condition: ItemFilter
    /// Whether a scan that the daemon makes shows what was written before it.
    private let scansConsistently: Bool

    private static let expression = "attribute_exists(more) OR #text IN (:one, :two, :three)"
    private static let texts = ["plain", "NULL", " "]
    private static let marks = [Array(#""more":{"M":"#.utf8)] + texts.map { Array(#""text":{"S":"\#($0)"}"#.utf8) }

    package init(scansConsistently: Bool) {
        self.scansConsistently = scansConsistently
        do throws(FilterError) {
            let values = zip(["one", "two", "three"], Self.texts).map { #"":\#($0)":{"S":"\#($1)"}"# }
            var placeholders = try Placeholders(
                names: ##"{"#text":"text"}"##, values: "{\(values.joined(separator: ","))}")
            condition = try ItemFilter(Self.expression, &placeholders)
        } catch {
            preconditionFailure("the simulation's filter is none: \(error)")
        }
    }

    /// - Parameter item: as the service writes it.
    func matches(_ item: some Collection<UInt8>) -> Bool { Self.marks.contains { item.firstRange(of: $0) != nil } }

    func verdict(on record: Record) -> Verdict {
        if let image = record.newImage, matches(image) { return .matches }
        guard scansConsistently else { return .isDeleted }
        if record.json.firstRange(of: Array(#""eventName":"INSERT""#.utf8)) != nil { return .isLeftOut }
        // Not every stream has it; nothing that could be taken for an attribute comes after it.
        guard let old = record.json.firstRange(of: Array(#","OldImage":"#.utf8))?.upperBound else { return .isDeleted }
        return matches(record.json[old...]) ? .isDeleted : .isLeftOut
    }
}
