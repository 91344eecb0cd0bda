import StatusServer
import Testing

@testable import shakectl

@Suite("Who is served over HTTP")
struct HTTPSettingsTests {
    private func settings(
        _ http: String?, token path: String? = nil, files: [String: String] = [:]
    ) throws -> HTTPSettings? {
        var flags = Settings()
        if let http { #expect(ConfigurationKey.http.set([http], in: &flags)) }
        flags.httpTokenFile = path
        let configuration = try Configuration(flags: flags, file: nil, environment: [:]) { _ in nil }
        return try configuration.http { files[$0] }
    }

    private func message(_ http: String?, token: String? = nil, files: [String: String] = [:]) -> String? {
        do {
            _ = try settings(http, token: token, files: files)
            return nil
        } catch {
            #expect((error as? ShakectlError)?.exitCode == 78)
            return "\(error)"
        }
    }

    @Test("On loopback nobody needs a token, and one is taken")
    func loopback() throws {
        #expect(try settings(nil) == nil)
        #expect(try settings("[::1]:9464") == HTTPSettings(address: HTTPAddress(host: "::1", port: 9464), token: nil))
        let token = "0123456789abcdef"
        #expect(try settings("127.0.0.1:1", token: "t", files: ["t": token + "\nmore\n"])?.token == token)
    }

    @Test("Elsewhere a token is needed")
    func elsewhere() throws {
        #expect(message("0.0.0.0:9464")?.contains("--http-token-file") == true)
        #expect(message("shake.internal:9464") != nil)
        #expect(try settings("0.0.0.0:9464", token: "t", files: ["t": "0123456789abcdef"])?.token == "0123456789abcdef")
    }

    @Test(
        "What is no token is refused, and not said",
        arguments: ["", "\n", "hunter2", "0123456789 abcdef", "0123456789äbcdef"])
    func noToken(text: String) {
        let message = message("127.0.0.1:1", token: "t", files: ["t": text])
        #expect(message?.contains("16 or more") == true)
        #expect(message?.contains("hunter2") == false && message?.contains("0123") == false)
    }

    @Test("A token without an address, and a file that isn't there")
    func misconfigured() {
        #expect(message(nil, token: "t") != nil)
        #expect(message("127.0.0.1:1", token: "t")?.contains("no such file") == true)
    }

    @Test("The file says it in one word, or with the token's file beside it")
    func file() throws {
        let file = ConfigurationFile(name: "shake.yaml")
        #expect(try file.settings(from: "http: localhost:9464").http == HTTPAddress(host: "localhost", port: 9464))
        let both = try file.settings(from: "http: {address: '[::]:80', token_file: /etc/token}")
        #expect(both.http == HTTPAddress(host: "::", port: 80))
        #expect(both.httpTokenFile == "/etc/token")
        #expect { try file.settings(from: "http: {token: s3cret}") } throws: { !"\($0)".contains("s3cret") }
    }
}
