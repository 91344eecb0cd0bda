import Testing

@testable import shakectl

@Suite("Commands to be pasted")
struct ShellTests {
    @Test(
        "A word that a shell would change is quoted",
        arguments: [
            ("shardId-0001-4f", "shardId-0001-4f"), ("./a/b.c", "./a/b.c"), ("my journal", "'my journal'"),
            ("", "''"), ("it's", #"'it'\''s'"#), ("$HOME", "'$HOME'"), ("a;b", "'a;b'"),
        ])
    func quoted(word: String, text: String) {
        #expect(Shell.quoted(word) == text)
    }
}
