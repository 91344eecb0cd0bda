import Testing

@testable import Curl

@Suite("URLs")
struct HTTPURLTests {
    @Test("The authority is what the Host header says: the port only where it isn't the scheme's own")
    func authority() throws {
        let rows = [
            ("http://LOCALHOST:8000", "localhost:8000"), ("https://h.example/", "h.example"),
            ("https://h.example:443", "h.example"),
            ("http://h.example:443", "h.example:443"), ("http://[::1]:8000/", "[::1]:8000"),
            ("http://127.0.0.1:80", "127.0.0.1"),
        ]
        for (text, authority) in rows { #expect(try HTTPURL(text).authority == authority, "\(text)") }
    }

    @Test(
        "A user or password is refused and never repeated, however wrong the rest is",
        arguments: [
            "http://u:hunter2@host", "http://u:hunter2@ho st:1", "http://u:hunter2@host:99999999", "hunter2@host",
            "ftp://u:hunter2@host", "u:hunter2@host://x", "http://u:hunter2@", "http://u:hunter2@h#f",
            "http://u:hunter2@\u{301}ho st", "http://u:hunter2%40ho st", "http://u:hunter2＠host:1",
            "http://h/?X-Token=hunter2 ",
        ])
    func secrets(text: String) {
        #expect {
            try HTTPURL(text)
        } throws: { error in
            !"\(error)".contains("hunter2")
        }
    }

    @Test("A proxy's URL that libcurl repeats loses its user")
    func proxy() {
        let said = "Unsupported proxy syntax in 'http://u:hunter2@h o:1': Port number was not a decimal number"
        #expect(
            said.withoutUser == "Unsupported proxy syntax in 'http://…@h o:1': Port number was not a decimal number")
        #expect("Couldn't connect to server".withoutUser == "Couldn't connect to server")
    }

    @Test("This machine and the metadata services are known, so that no proxy is asked for them")
    func noProxy() throws {
        for text in [
            "http://localhost", "http://x.localhost", "http://127.8.9.1:8", "http://[::1]", "http://LocalHost:1",
        ] {
            #expect(try HTTPURL(text).isLoopback, "\(text)")
        }
        for text in [
            "http://localhost.example", "http://127.example.com", "http://10.0.0.1",
            "https://dynamodb.eu-west-1.amazonaws.com",
        ] {
            #expect(try !HTTPURL(text).isLoopback && !HTTPURL(text).isMetadata, "\(text)")
        }
        for text in [
            "http://169.254.169.254/latest", "http://169.254.170.2", "http://[fd00:ec2::254]/", "http://[fd00:ec2::23]",
        ] {
            #expect(try HTTPURL(text).isMetadata, "\(text)")
        }
    }
}
