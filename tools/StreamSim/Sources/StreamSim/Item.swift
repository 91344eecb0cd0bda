/// An item, or the key of one.
package struct Item: Hashable, Sendable {
    package let id: String
    /// The sort key, where the table has one.
    package let at: Int?
    package var version = 0
    package var text = ""

    package init(id: String, at: Int?) {
        self.id = id
        self.at = at
    }

    var key: String {
        let sort = at.map { #","at":{"N":"\#($0)"}"# } ?? ""
        return #"{"id":{"S":"\#(JSONText.escaped(id))"}\#(sort)}"#
    }

    /// As it stands in scans and images.
    var json: String {
        key.dropLast() + #","version":{"N":"\#(version)"},"text":{"S":"\#(JSONText.escaped(text))"}}"#
    }
}
