/// What a record of a stream carries besides the key.
package enum StreamView: String, CaseIterable, Sendable {
    case keysOnly = "KEYS_ONLY"
    case newImage = "NEW_IMAGE"
    case oldImage = "OLD_IMAGE"
    case newAndOldImages = "NEW_AND_OLD_IMAGES"

    var hasNewImage: Bool { self == .newImage || self == .newAndOldImages }
    var hasOldImage: Bool { self == .oldImage || self == .newAndOldImages }

    /// As CreateTable and UpdateTable give it; `nil` where none is wanted.
    init?(specification: JSON?) throws(ServiceError) {
        guard let specification else { return nil }
        let name = try specification.text("StreamViewType")
        guard try specification.flag("StreamEnabled") == true else {
            guard name == nil else {
                throw .validation("Table is being created or updated with StreamEnabled false and a StreamViewType")
            }
            return nil
        }
        guard let view = name.flatMap({ StreamView(rawValue: $0.string) }) else {
            throw .validation(
                "StreamViewType must be one of \(Self.allCases.map(\.rawValue)) where StreamEnabled is true")
        }
        self = view
    }
}
