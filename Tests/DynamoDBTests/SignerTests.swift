import StreamModel
import Testing

@testable import DynamoDB

/// Source: IAM User Guide, "Create a signed AWS API request".
@Suite("Signing")
struct SignerTests {
    private static let time = Timestamp("2015-08-30T12:36:00Z") ?? Timestamp(microseconds: 0)

    @Test(
        "The known signatures come out",
        arguments: [
            (nil, "085fdd4f1408245b6f3f54f2a8553c7f00d21b576d3f62f6d463134046ddd384"),
            ("TOKENEXAMPLE", "5631a796bde4f8b631eb635766ce3fe8cc57c6aa95c62086bfc99009f38598fc"),
        ])
    func vector(token: String?, signature: String) {
        let credentials = Credentials(
            accessKeyID: Sample.credentials.accessKeyID, secretAccessKey: Sample.credentials.secretAccessKey,
            sessionToken: token)
        let signed = Signer(region: "us-east-1").sign(
            headers: Self.headers(
                host: "streams.dynamodb.us-east-1.amazonaws.com", "DynamoDBStreams_20120810.ListStreams"),
            body: Array(#"{"Limit":10}"#.utf8), with: credentials, at: Self.time)
        let names = "content-type;host;x-amz-date;\(token == nil ? "" : "x-amz-security-token;")x-amz-target"
        #expect(
            signed.authorization
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/dynamodb/aws4_request, SignedHeaders=\(names), Signature=\(signature)"
        )
        #expect(signed.date == "20150830T123600Z")
    }

    @Test("botocore signs the same, whatever body, token, host, region and time")
    func botocore() throws {
        var cases: [Case] = []
        let bodies = [
            "", "{}", #"{"TableName":"übergröße \u0000 \"x\""}"#, String(repeating: "0123456789", count: 30_000),
        ]
        let tokens = [nil, "short", String(repeating: "A/+=", count: 600)]
        let hosts = ["dynamodb.eu-central-1.amazonaws.com", "localhost:8000", "127.0.0.1:31847", "[::1]:8000"]
        for (index, body) in bodies.enumerated() {
            for token in tokens {
                for host in hosts {
                    cases.append(
                        Case(
                            scheme: host.contains(":") ? "http" : "https", host: host,
                            region: index % 2 == 0 ? "eu-central-1" : "us-gov-west-1", body: body, token: token,
                            time: ["20260101T000000Z", "20261231T235959Z", "20240229T120000Z"][cases.count % 3]))
                }
            }
        }
        let theirs: [String] = try Botocore.run(Self.script, cases)
        #expect(theirs.count == cases.count)
        // One signer a region, so that its kept key meets changing days and tokens.
        let signers = ["eu-central-1", "us-gov-west-1"].reduce(into: [:]) { $0[$1] = Signer(region: $1) }
        for (one, theirs) in zip(cases, theirs) {
            let credentials = Credentials(
                accessKeyID: Sample.credentials.accessKeyID, secretAccessKey: Sample.credentials.secretAccessKey,
                sessionToken: one.token)
            let ours = signers[one.region]?.sign(
                headers: Self.headers(host: one.host, "DynamoDB_20120810.Scan"), body: Array(one.body.utf8),
                with: credentials, at: try #require(Timestamp(one.isoTime)))
            #expect(ours?.authorization == theirs, "\(one.host), \(one.time), \(one.body.utf8.count) bytes")
        }
    }

    @Test("Another secret under the same key id is signed with")
    func changedSecret() {
        let signer = Signer(region: "us-east-1")
        func sign(_ secret: String) -> String {
            let credentials = Credentials(accessKeyID: "A", secretAccessKey: secret)
            return signer.sign(headers: Self.headers(host: "h", "t"), body: [], with: credentials, at: Self.time)
                .authorization
        }
        #expect(sign("one") != sign("two"))
        #expect(sign("one") == sign("one"))
    }

    private struct Case: Encodable {
        let scheme, host, region, body: String
        let token: String?
        let time: String

        /// 2026-01-01T00:00:00Z
        var isoTime: String {
            let t = Array(time)
            return
                "\(String(t[0..<4]))-\(String(t[4..<6]))-\(String(t[6..<8]))T\(String(t[9..<11])):\(String(t[11..<13])):\(String(t[13..<15]))Z"
        }
    }

    private static func headers(host: String, _ target: String) -> [(name: String, value: String)] {
        [("content-type", "application/x-amz-json-1.0"), ("host", host), ("x-amz-target", target)]
    }

    private static let script = """
        import json, sys
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        out = []
        for c in json.load(sys.stdin):
            credentials = Credentials('AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', c.get('token'))
            auth = SigV4Auth(credentials, 'dynamodb', c['region'])
            request = AWSRequest('POST', c['scheme'] + '://' + c['host'] + '/', data=c['body'].encode(), headers={
                'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'DynamoDB_20120810.Scan'})
            request.context['timestamp'] = c['time']
            auth._modify_request_before_signing(request)
            text = auth.string_to_sign(request, auth.canonical_request(request))
            auth._inject_signature_to_request(request, auth.signature(text, request))
            out.append(request.headers['Authorization'])
        json.dump(out, sys.stdout)
        """
}
