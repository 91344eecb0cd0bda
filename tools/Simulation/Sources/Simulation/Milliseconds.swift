/// A duration of a plan, in whole milliseconds: so that the plan's text says all of it.
@propertyWrapper
package struct Milliseconds: Hashable, Sendable, Codable {
    private var count: Int64

    package init(wrappedValue: Duration) { count = Int64(wrappedValue / .milliseconds(1)) }

    package var wrappedValue: Duration {
        get { .milliseconds(count) }
        set { self = Milliseconds(wrappedValue: newValue) }
    }

    package init(from decoder: any Decoder) throws { count = try decoder.singleValueContainer().decode(Int64.self) }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }
}
