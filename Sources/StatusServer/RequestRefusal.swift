/// Why a request is not answered: an HTTP status, and what to do, in plain text.
package struct RequestRefusal: Error, Hashable, Sendable {
    package let status: Int
    package let text: String

    package init(_ status: Int, _ text: String) {
        self.status = status
        self.text = text
    }
}
