/// Commands that are printed to be pasted.
enum Shell {
    /// `word` as a POSIX shell reads it back.
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_./:=@%+,".utf8.contains(byte)
                }
            }
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }

    /// What goes on a command that is printed within a sentence.
    static func more(_ words: [String]) -> String { words.map { " " + quoted($0) }.joined() }
}
