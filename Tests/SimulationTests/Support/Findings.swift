/// What was not as it should be.
struct Findings {
    private(set) var wrong: [String] = []

    mutating func expect(_ condition: Bool, _ what: String) {
        if !condition { wrong.append(what) }
    }
}
