/// What bounds the server: whoever asks must never cost the daemon its memory.
package struct ServerLimits: Hashable, Sendable {
    package var connections = 128
    /// Streams of events at a time.
    package var eventStreams = 16
    /// Answers of the API that are made or sent at a time.
    package var answers = 8
    /// For so long a client may take nothing of what it is sent.
    package var patience: Duration = .seconds(10)
    /// For so long a client may take to ask for the first time, from its connection to the end of the request's head.
    package var firstRequest: Duration = .seconds(10)
    /// The same for each request after an answer.
    package var idle: Duration = .seconds(60)
    /// How long a client is listened to after the last word to it: what is closed with something unread takes away its answer.
    package var farewell: Duration = .seconds(1)
    /// What is sent in one piece: whoever takes that much within `patience` gets on.
    package var slice = 16 << 10
    package var watchInterval: Duration = .seconds(1)
    package var statusInterval: Duration = .seconds(2)
    /// How often the journal is looked at. LMDB tells nobody of a commit; to ask costs a look at shared memory.
    package var journalInterval: Duration = .milliseconds(200)
    /// Events that are read and sent at a time.
    package var eventsAtATime = 200

    package init() {}
}
