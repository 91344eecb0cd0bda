internal import ArgumentParser
internal import Journal
internal import StreamModel

extension SequenceNumber: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}

extension Position: ExpressibleByArgument {
    package init?(argument: String) {
        guard let number = UInt64(argument) else { return nil }
        self.init(number)
    }
}
