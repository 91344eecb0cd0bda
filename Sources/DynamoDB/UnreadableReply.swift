/// An answer came, and it is none to the question that was asked.
struct UnreadableReply: Error {
    let why: String
}
