/// The text of a GetRecords reply.
struct Reply {
    var records: [String] = [Self.record()]
    /// As JSON.
    var next: String? = #""AAAA""#

    var text: String {
        var members = [#""Records":[\#(records.joined(separator: ","))]"#]
        if let next { members.append(#""NextShardIterator":\#(next)"#) }
        return "{\(members.joined(separator: ","))}"
    }

    static func record(
        number: String = "20500000000000000910398", event: String = "INSERT", image: String = #"{"pk":{"S":"a"}}"#
    ) -> String {
        "{\(members(number: number, event: event, image: image).joined(separator: ","))}"
    }

    /// Of a record, each as text.
    static func members(number: String, event: String, image: String) -> [String] {
        [
            #""eventID":"c4ca4238a0b923820dcc509a6f75849b""#, #""eventName":"\#(event)""#, #""eventVersion":"1.1""#,
            #""awsRegion":"us-east-1""#,
            #""dynamodb":{\#(streamMembers(number: number, image: image).joined(separator: ","))}"#,
        ]
    }

    /// Of its `dynamodb`, each as text.
    static func streamMembers(number: String, image: String) -> [String] {
        [
            #""ApproximateCreationDateTime":1.46480646E9"#, #""Keys":{"pk":{"S":"a"}}"#, #""NewImage":\#(image)"#,
            #""SequenceNumber":"\#(number)""#, #""SizeBytes":59"#, #""StreamViewType":"NEW_AND_OLD_IMAGES""#,
        ]
    }
}

/// All orders of what is given.
func permutations<Element>(_ elements: [Element]) -> [[Element]] {
    guard elements.count > 1 else { return [elements] }
    return elements.indices.flatMap { index in
        var rest = elements
        let first = rest.remove(at: index)
        return permutations(rest).map { [first] + $0 }
    }
}
