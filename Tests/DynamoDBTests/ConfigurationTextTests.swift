import Testing

@testable import DynamoDB

/// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
@Suite("The text of a shared file")
struct ConfigurationTextTests {
    @Test("Line ends of Windows, a byte order mark and comments make no difference")
    func lineEnds() throws {
        let plain = "# all\n[default]\nregion = eu-west-1\naws_access_key_id=A ; mine\n\n[profile  x]\nregion=r#1\n"
        let windows = "\u{FEFF}" + plain.replacing("\n", with: "\r\n")
        let text = try ConfigurationText(Array(plain.utf8), path: "f")
        #expect(try ConfigurationText(Array(windows.utf8), path: "f") == text)
        #expect(text.sections["default"]?.settings == ["region": "eu-west-1", "aws_access_key_id": "A"])
        #expect(text.sections["profile x"]?.settings == ["region": "r#1"], "within a word # is no comment")
    }

    @Test("A value may hold equals signs, and a name is the same in any case")
    func values() throws {
        let text = try ConfigurationText(Array("[a]\nAWS_Secret_Access_Key = ab+/=c==\n".utf8), path: "f")
        #expect(text.sections["a"]?.settings == ["aws_secret_access_key": "ab+/=c=="])
    }

    @Test("Indented settings belong to the one above them, if that has no value of its own")
    func nested() throws {
        let text = try ConfigurationText(
            Array("[services s]\ndynamodb =\n  endpoint_url = http://h:1\n  x = y\nother = z\n  region = r\n".utf8),
            path: "f")
        let section = try #require(text.sections["services s"])
        #expect(section.nested["dynamodb"] == ["endpoint_url": "http://h:1", "x": "y"])
        #expect(section.settings["other"] == "z")
        #expect(section.settings["region"] == "r")
    }

    @Test("Sections of one name are one, and quotes around a name are none of it")
    func sections() throws {
        let text = try ConfigurationText(Array("[profile \"a b\"]\nx=1\n[profile a b]\ny=2\n".utf8), path: "f")
        #expect(text.sections["profile a b"]?.settings == ["x": "1", "y": "2"])
    }

    @Test(
        "A line that is nothing of the format is named",
        arguments: [("[a\n", 1), ("x=1\n", 1), ("[a]\n\nnonsense\n", 3), ("[]\n", 1)])
    func malformed(text: String, line: Int) throws {
        let error = try #require(throws: DynamoDBError.self) {
            try ConfigurationText(Array(text.utf8), path: "/f/config")
        }
        #expect("\(error)".hasPrefix("/f/config, line \(line): "))
    }
}
