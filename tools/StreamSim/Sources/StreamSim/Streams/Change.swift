/// A change of an item, on its way into a stream.
struct Change: Sendable {
    enum Author: Sendable {
        case user
        /// The service, which removes what has expired.
        case timeToLive
    }

    let key: ItemKey
    let before: Attributes?
    let after: Attributes?
    var author = Author.user

    /// How GetRecords calls it. A removal of nothing leaves no record, so one of the images is there.
    var eventName: String { after == nil ? "REMOVE" : before == nil ? "INSERT" : "MODIFY" }

    /// - Parameter now: in microseconds since 1970.
    func record(_ number: Text, of stream: Stream, in shard: Text, at now: Int64, _ quirks: Set<Quirk>) -> Record {
        let newImage = after?.bytes
        let size =
            key.attributes.size + (stream.view.hasNewImage ? after?.size ?? 0 : 0)
            + (stream.view.hasOldImage ? before?.size ?? 0 : 0)
        var json: [UInt8] = []
        json.reserveCapacity(400 + 2 * (newImage?.count ?? 0))
        json += #"{"eventID":""#.utf8
        json += number.bytes
        json += #"","eventName":"\#(eventName)","eventVersion":"1.1","eventSource":"aws:dynamodb","#.utf8
        json += #""awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":"#.utf8
        json += Self.time(now, quirks).utf8
        json += #","Keys":"#.utf8
        json += key.bytes
        if stream.view.hasNewImage, let newImage {
            json += #","NewImage":"#.utf8
            json += newImage
        }
        if stream.view.hasOldImage, let before {
            json += #","OldImage":"#.utf8
            json += before.bytes
        }
        json += #","SequenceNumber":""#.utf8
        json += number.bytes
        json += #"","SizeBytes":\#(size),"StreamViewType":"\#(stream.view.rawValue)"}"#.utf8
        // So the service model spells it; the guide has small letters (FACTS 1.9).
        if case .timeToLive = author {
            json += #","userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}"#.utf8
        }
        json.append(UInt8(ascii: "}"))
        return Record(
            stream: stream.arn, shard: shard, sequenceNumber: number, keys: key.bytes, newImage: newImage, made: now,
            size: size, json: json)
    }

    /// A number of seconds, rounded down (API Reference, StreamRecord).
    private static func time(_ now: Int64, _ quirks: Set<Quirk>) -> String {
        let seconds = now / 1_000_000
        if quirks.contains(.fractionalTime) { return "\(seconds).\(String(now % 1_000_000 + 1_000_000).dropFirst())" }
        guard quirks.contains(.scientificTime) else { return "\(seconds)" }
        let digits = String(seconds)
        return "\(digits.prefix(1)).\(digits.dropFirst())E\(digits.count - 1)"
    }
}
