import DynamoDB
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("The source that a rewind asks")
struct RewindCommandTests {
    private let daemon = RunStarted(
        role: "daemon", version: "1", host: "h", pid: 1, region: "eu-central-1", endpoint: "http://localhost:8000")

    @Test("It is the daemon's, where nothing else is said")
    func daemons() {
        let source = Rewinding.source(Settings(profile: "p"), daemon: daemon)
        #expect(source.region == "eu-central-1")
        #expect(source.endpoint == "http://localhost:8000")
        #expect(source.profile == "p")
    }

    @Test("What is said here and now wins; another region's endpoint isn't the daemon's")
    func said() {
        let endpoint = Rewinding.source(Settings(endpoint: "http://other:1"), daemon: daemon)
        #expect(endpoint.region == "eu-central-1")
        #expect(endpoint.endpoint == "http://other:1")
        let region = Rewinding.source(Settings(region: "us-east-1"), daemon: daemon)
        #expect(region.region == "us-east-1")
        #expect(region.endpoint == nil)
    }

    @Test("Without either it is left to the environment")
    func nothing() {
        let source = Rewinding.source(Settings(), daemon: nil)
        #expect(source.region == nil)
        #expect(source.endpoint == nil)
        let unsaid = RunStarted(role: "daemon", version: "1", host: "h", pid: 1)
        #expect(Rewinding.source(Settings(), daemon: unsaid).region == nil)
    }
}
