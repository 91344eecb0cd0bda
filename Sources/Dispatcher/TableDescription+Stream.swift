package import DynamoDB
package import StreamModel

extension TableDescription {
    /// Whether it has none that could be read from now on; one that was switched off counts for nothing.
    var lacksStream: Bool { !streamEnabled || stream == nil }

    /// - Throws: `.misconfigured` where it has none, or one that carries no new images.
    package var followedStream: StreamARN {
        get throws(DaemonError) {
            let name = schema.name
            guard streamEnabled, let stream else {
                throw .misconfigured(
                    what: "table \(name)",
                    reason:
                        "it has no stream: enable one with new images (\(Self.enabling(name))), or let Shake do it: "
                        + "--enable-streams")
            }
            if let viewType, viewType != "NEW_IMAGE", viewType != "NEW_AND_OLD_IMAGES" {
                throw .misconfigured(
                    what: "table \(name)",
                    reason: "its stream has view type \(viewType), which carries no new images: disable the stream and "
                        + "enable it again with NEW_AND_OLD_IMAGES or NEW_IMAGE")
            }
            return stream
        }
    }

    /// The command by which an operator enables a stream.
    package static func enabling(_ name: TableName) -> String {
        "aws dynamodb update-table --table-name \(name) "
            + "--stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
    }
}
