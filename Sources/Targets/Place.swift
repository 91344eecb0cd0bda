/// What lies in the place of a table, as it is found without changing anything.
package struct Place: Hashable, Sendable {
    /// As an operator may read it, such as `SQL table orders`.
    package let object: String
    package let contents: Contents

    package enum Contents: String, Hashable, Sendable {
        case missing
        case empty
        case filled
    }

    package init(object: String, contents: Contents) {
        self.object = object
        self.contents = contents
    }
}
