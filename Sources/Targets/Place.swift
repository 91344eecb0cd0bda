/// What lies in the place of a table, as it is found without changing anything.
package struct Place: Hashable, Sendable {
    /// As an operator may read it, such as `SQL table orders`.
    package let object: String
    package let contents: Contents
    /// Why the table's items can't be kept there as it is, and what to do; `nil` where they can.
    package let unfit: String?
    /// Whether all tables have it in common, so that who has filled it with one knows it for the others.
    package let isShared: Bool

    package enum Contents: String, Hashable, Sendable {
        case missing
        case empty
        case filled
    }

    package init(object: String, contents: Contents, unfit: String? = nil, isShared: Bool = false) {
        self.object = object
        self.contents = contents
        self.unfit = unfit
        self.isShared = isShared
    }
}
