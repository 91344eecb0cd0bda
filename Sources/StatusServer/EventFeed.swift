internal import Hummingbird
internal import Logging
internal import NIOCore

/// Sends one client the journal as it grows, and how the tables are every few seconds.
struct EventFeed: Sendable {
    let answers: any StatusAnswers
    let limits: ServerLimits
    /// Up to which the client has seen it.
    let position: UInt64
    let logger: Logger

    /// Until the client goes, takes nothing, or the server ends.
    @concurrent func write(to writer: inout any ResponseBodyWriter) async throws {
        var position = position
        var statusDue = ContinuousClock.now
        while !Task.isCancelled {
            var text = ""
            let lines = try await answers.events(after: position, limit: limits.eventsAtATime)
            for line in lines { text += ServerSentEvent.journal(line).text }
            position = lines.last?.position ?? position
            if ContinuousClock.now >= statusDue {
                text += ServerSentEvent.status(try await answers.recentStatus()).text
                statusDue = .now + limits.statusInterval
            }
            if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
            if lines.count < limits.eventsAtATime { try await Task.sleep(for: limits.journalInterval) }
        }
    }
}
