import Foundation
import StreamModel
import Targets
import Testing

@testable import DynamoDBTarget

@Suite("The role of a DynamoDB target")
struct DynamoDBRoleTests {
    private let endpoint = SimulatedEndpoint()
    private var bench: DynamoDBBench { DynamoDBBench(endpoint: endpoint) }

    @Test("A role is assumed, its credentials used, and assumed again before they expire")
    func role() async throws {
        let clock = endpoint.clock
        endpoint.onRole = { number in
            """
            <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
            <AccessKeyId>ROLEKEY\(number)</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey>
            <SessionToken>token\(number)</SessionToken><Expiration>\(clock.timestamp + .seconds(3600))</Expiration>
            </Credentials></AssumeRoleResult></AssumeRoleResponse>
            """
        }
        let target = try endpoint.target([
            ("create", "true"), ("role", "arn:aws:iam::123456789012:role/shake"), ("external_id", "a b&c"),
        ])
        try await target.open(recoveringTo: [])
        try await target.prepare(TableSchema.people)
        #expect(endpoint.keysUsed == ["ROLEKEY1"])
        #expect(
            endpoint.rolesAssumed.first?.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fshake") == true)
        #expect(endpoint.rolesAssumed.first?.contains("ExternalId=a%20b%26c") == true)
        clock.leap(.seconds(3550))
        try await target.prepare(TableSchema.people)
        #expect(endpoint.keysUsed == ["ROLEKEY1", "ROLEKEY2"])
        #expect(target.name == "dynamodb:eu-west-1 at http://localhost:8000 role arn:aws:iam::123456789012:role/shake")
    }

    @Test("A role that may not be assumed is said, with whom to ask")
    func roleRefused() async throws {
        endpoint.onRole = { _ in
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"
        }
        let target = try endpoint.target([("role", "arn:aws:iam::123456789012:role/shake")])
        let error = await bench.refusal { try await target.open(recoveringTo: []) }
        #expect(error?.description.contains("allow sts:AssumeRole") == true, "\(String(describing: error))")
        #expect(error?.isRetryable == false)
    }
}
