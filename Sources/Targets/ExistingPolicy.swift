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
