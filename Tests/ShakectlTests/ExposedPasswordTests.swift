import Testing

@testable import shakectl

@Suite("Passwords in a command line")
struct ExposedPasswordTests {
    @Test("One that a URL holds is seen, and nothing else is taken for one")
    func seen() {
        for url in [
            "postgres://ann:secret@h/db", "mongodb://ann:se/cr@t@h1:1,h2:2/db", "postgres://h/db?user=a&password=x",
            "mongodb://h/?tlsCertificateKeyFilePassword=x",
        ] { #expect(ExposedPassword.isIn(url), "\(url)") }
        for url in [
            "postgres://ann@h:5432/db", "sqlite:/a@b:c/x.db", "mongodb://h1:1,h2:2/db", "dynamodb:", "jsonl:-",
            "mongodb://ann@h:1/db?authSource=admin",
        ] { #expect(!ExposedPassword.isIn(url), "\(url)") }
    }

    @Test("No message about a command line repeats it")
    func hidden() {
        let url = "postgres://ann:secret@h/db"
        for arguments in [["--mode", url], ["--mode=\(url)"], [url]] {
            #expect(ExposedPassword.hidden(arguments, in: "expects all, found '\(url)'") == "expects all, found '…'")
        }
        #expect(ExposedPassword.hidden(["--table", "a"], in: "a is no table") == "a is no table")
        #expect(ExposedPassword.quoted(url) == "a URL with a password in it")
        #expect(ExposedPassword.quoted("al") == "'al'")
    }
}
