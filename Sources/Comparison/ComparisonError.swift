package import DynamoDB
package import Journal
package import Targets

/// Why a comparison ended before it had seen everything. What it has seen is kept in its notes.
package enum ComparisonError: Error, CustomStringConvertible {
    case source(DynamoDBError)
    case target(TargetError)
    case journal(JournalError)
    /// The file of notes could not be read or written.
    case notes(String)
    /// Another process compares the table: two would mix their notes.
    case underWay(table: String)
    /// A target that keeps no state: there is nothing to compare with.
    case keepsNoState(target: String)

    package var description: String {
        switch self {
        case .source(let error): error.description
        case .target(let error): error.description
        case .journal(let error): error.description
        case .notes(let reason): reason
        case .underWay(let table):
            "table \(table): another comparison of it is under way with this journal: wait for its end, or end it"
        case .keepsNoState(let target):
            "target \(target): it keeps changes and no items, so there is nothing to compare with the source"
        }
    }
}
