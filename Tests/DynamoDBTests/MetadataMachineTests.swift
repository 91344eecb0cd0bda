import StreamModel
import Testing

@testable import DynamoDB

/// Sources: EC2 User Guide, "Use the Instance Metadata Service"; botocore, IMDSFetcher.
@Suite("Asking an instance's metadata")
struct MetadataMachineTests {
    private typealias Event = MetadataMachine.Event
    private typealias Action = MetadataMachine.Action

    private static func run(
        attempts: Int = 2, allowsV1: Bool = true, token: String? = nil, _ events: [MetadataMachine.Event]
    ) -> [MetadataMachine.Action] {
        var machine = MetadataMachine(attempts: attempts, allowsV1: allowsV1, token: token)
        return [machine.first] + events.map { machine.handle($0) }
    }

    @Test("A token comes first, and a text with it")
    func v2() {
        #expect(
            Self.run([.answered(status: 200, text: "T"), .answered(status: 200, text: "role")])
                == [.askToken, .askText(token: "T"), .done("role")])
        #expect(Self.run(token: "T", [.answered(status: 200, text: "x")]) == [.askText(token: "T"), .done("x")])
    }

    @Test("A token that has expired is replaced once")
    func expired() {
        let refused = Event.answered(status: 401, text: "")
        #expect(
            Self.run(token: "old", [refused, .answered(status: 200, text: "new"), refused])
                == [.askText(token: "old"), .askToken, .askText(token: "new"), .giveUp(.refused(status: 401))])
    }

    @Test("Where there are no tokens one asks without, if that is allowed", arguments: [403, 404, 405])
    func v1(status: Int) {
        #expect(
            Self.run([.answered(status: status, text: ""), .answered(status: 200, text: "role")])
                == [.askToken, .askText(token: nil), .done("role")])
        let actions = Self.run(allowsV1: false, [.answered(status: status, text: "")])
        guard case .giveUp(.noToken(let why)) = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(why.contains("HTTP \(status)") && why.contains("AWS_EC2_METADATA_V1_DISABLED"))
    }

    @Test("A token that is lost on its way to a container, and a service that wants one, is the hop limit")
    func hops() {
        let actions = Self.run([.timedOut(reason: "nothing within 1 s"), .answered(status: 401, text: "")])
        #expect(actions.dropLast() == [.askToken, .askText(token: nil)])
        #expect(actions.last == .giveUp(.noToken(why: "nothing within 1 s")))
        #expect(MetadataMachine.Trouble.noToken(why: "w").text.contains("--http-put-response-hop-limit 2"))
    }

    @Test("Where nobody listens it ends soon", arguments: [1, 2, 3])
    func nobody(attempts: Int) {
        let failed = Event.failed(reason: "no route")
        let actions = Self.run(attempts: attempts, Array(repeating: failed, count: attempts))
        #expect(actions == Array(repeating: .askToken, count: attempts) + [.giveUp(.noAnswer(reason: "no route"))])
        let late = Event.timedOut(reason: "late")
        #expect(
            Self.run(attempts: attempts, Array(repeating: late, count: attempts + 1)).last
                == .giveUp(.noAnswer(reason: "late")))
    }

    @Test("A failure of the moment is tried again, and no role is none")
    func others() {
        let broken = Event.answered(status: 503, text: "")
        #expect(
            Self.run([broken, .answered(status: 200, text: "T"), broken, .answered(status: 200, text: "x")]).last
                == .done("x"))
        #expect(Self.run([broken, broken]).last == .giveUp(.refused(status: 503)))
        #expect(Self.run([.answered(status: 400, text: "")]).last == .giveUp(.refused(status: 400)))
        #expect(Self.run(token: "T", [.answered(status: 404, text: "")]).last == .giveUp(.notFound))
        #expect(
            Self.run(token: "T", [.answered(status: 200, text: ""), broken]).last == .giveUp(.refused(status: 503)))
    }

    @Test("Settings come from the environment before the profile; disabled, it isn't asked")
    func settings() throws {
        func settings(_ environment: [String: String], _ profile: [String: String] = [:]) throws -> MetadataSettings? {
            try MetadataSettings(environment) { profile[$0] }
        }
        #expect(try settings(["AWS_EC2_METADATA_DISABLED": "TRUE"]) == nil)
        let usual = try #require(try settings([:]))
        #expect(
            usual.base == "http://169.254.169.254" && usual.attempts == 2 && usual.timeout == .seconds(1)
                && usual.allowsV1)
        #expect(try settings(["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"])?.base == "http://[fd00:ec2::254]")
        let set = try settings(
            [
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1338/", "AWS_METADATA_SERVICE_TIMEOUT": "5",
                "AWS_EC2_METADATA_V1_DISABLED": "true",
            ],
            ["metadata_service_num_attempts": "3", "metadata_service_timeout": "9"])
        #expect(set?.base == "http://127.0.0.1:1338" && set?.attempts == 3 && set?.timeout == .seconds(5))
        #expect(set?.allowsV1 == false)
        for wrong in [
            ["AWS_EC2_METADATA_V1_DISABLED": "yes"], ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "nonsense"],
            ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "v5"], ["AWS_METADATA_SERVICE_TIMEOUT": "0"],
        ] {
            let error = #expect(throws: DynamoDBError.self) { try settings(wrong) }
            #expect(error.map { "\($0)".contains(wrong.keys.first ?? "-") } == true)
        }
    }
}
