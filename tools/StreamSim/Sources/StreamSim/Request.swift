/// One call, as it comes over HTTP.
package struct Request: Sendable {
    /// The header X-Amz-Target.
    package let target: String
    package let body: [UInt8]

    package init(target: String, body: [UInt8]) {
        self.target = target
        self.body = body
    }

    /// The name of the call, `GetRecords` for one.
    package var action: Text { Text(String(target.split(separator: ".").last ?? "")) }
}
