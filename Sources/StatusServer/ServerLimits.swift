/// What bounds the server: whoever asks must never cost the daemon its memory.
package struct ServerLimits: Hashable, Sendable {
    package var connections = 128
    /// Streams of events at a time.
    package var eventStreams = 16
    /// Answers of the API that are made or sent at a time.
    package var answers = 8
    /// For so long a client may take nothing of what it is sent.
    package var patience: Duration = .seconds(10)
    /// After which a connection is closed on which nothing is asked.
    package var idle: Duration = .seconds(60)
    package var statusInterval: Duration = .seconds(2)
    /// How often the journal is looked at. LMDB tells nobody of a commit; to ask costs a look at shared memory.
    package var journalInterval: Duration = .milliseconds(200)
    /// Events that are read and sent at a time.
    package var eventsAtATime = 200

    package init() {}
}
