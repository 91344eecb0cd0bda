/// What is done with what lies in a target already when a journal that knows nothing of it is to fill it: `target.existing`.
package enum ExistingPolicy: String, CaseIterable, Hashable, Sendable {
    /// Nothing is touched, and an operator decides.
    case refuse
    /// It stays, and is filled on.
    case append
    /// It goes, and an empty place is made.
    case replace
    /// It is kept under another name, and an empty place is made.
    case rename
}

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
