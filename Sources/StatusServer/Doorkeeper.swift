internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Holds a connection to what `Visit` says, before anything that answers hears of it.
final class Doorkeeper: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServerLimits
    private let lobby: Lobby
    private var visit = Visit(now: .now)
    private var isIn = false
    private var watch: Scheduled<Void>?
    /// The response under way says that it is the last.
    private var isLast = false
    /// Somebody wants to read, and the client is not heard.
    private var isReadHeld = false

    init(_ limits: ServerLimits, _ lobby: Lobby) {
        self.limits = limits
        self.lobby = lobby
    }

    // MARK: - Coming and going

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { enter(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        enter(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { leave(context) }

    private func enter(_ context: ChannelHandlerContext) {
        guard !isIn else { return }
        isIn = true
        visit = Visit(now: .now)
        // The kernel would else take megabytes for a client that reads none of them.
        context.channel.setOption(.socketOption(.so_sndbuf), value: 64 << 10).whenComplete { _ in }
        look(context)
        lobby.entered(context.channel)
    }

    /// Now and then, whether it is over.
    private func look(_ context: ChannelHandlerContext) {
        let interval = TimeAmount.nanoseconds(limits.watchInterval.nanoseconds)
        watch = context.eventLoop.assumeIsolated().scheduleTask(in: interval) {
            if self.visit.isOver(self.limits, now: .now) { context.close(promise: nil) } else { self.look(context) }
        }
    }

    private func leave(_ context: ChannelHandlerContext) {
        guard isIn else { return }
        isIn = false
        watch?.cancel()
        lobby.left(context.channel)
    }

    private func handle(_ event: Visit.Event, _ context: ChannelHandlerContext) -> Visit.Action {
        let wasIdle = visit.isIdle
        let action = visit.handle(event, now: .now)
        if isIn, visit.isIdle != wasIdle { lobby.changed(context.channel, isIdle: visit.isIdle) }
        if isReadHeld, visit.isHeard {
            isReadHeld = false
            context.read()
        }
        return action
    }

    // MARK: - What is asked

    func read(context: ChannelHandlerContext) {
        if visit.isHeard { context.read() } else { isReadHeld = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let request):
            let action = handle(.head(hasBody: Self.hasBody(request)), context)
            if Self.isOther(request) { _ = handle(.garbled, context) }
            switch action {
            case .pass: context.fireChannelRead(data)
            case .drop: break
            case .refuse: refuse(context)
            case .leave: context.close(mode: .output, promise: nil)
            }
        case .body, .end:
            switch visit.state {
            case .answering: context.fireChannelRead(data)
            case .waiting, .refusing, .leaving: break
            }
        }
    }

    /// The decoder takes nothing more as a request.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        _ = handle(.garbled, context)
        context.fireErrorCaught(error)
    }

    /// Source: RFC 9112, 6: "The presence of a message body in a request is signaled by a Content-Length or Transfer-Encoding header
    /// field."
    static func hasBody(_ request: HTTPRequest) -> Bool {
        request.headerFields[.transferEncoding] != nil
            || request.headerFields[.contentLength].map { $0.contains { $0 != "0" } } ?? false
    }

    /// Whether another protocol is to follow, which the decoder leaves to others and keeps for them. There are none here, and it is
    /// answered as if it had not been asked for.
    ///
    /// Source: RFC 9110, 7.8: "A server MAY ignore a received Upgrade header field"; 9.3.6 for CONNECT.
    static func isOther(_ request: HTTPRequest) -> Bool {
        request.method == .connect || request.headerFields[.upgrade] != nil
    }

    private func refuse(_ context: ChannelHandlerContext) {
        let text = ByteBuffer(string: "nothing here takes a body: only GET and HEAD are answered\n")
        let head = HTTPResponse(
            status: .contentTooLarge,
            headerFields: [
                .contentType: "text/plain; charset=utf-8", .contentLength: "\(text.readableBytes)",
                .connection: "close",
            ])
        for part: HTTPResponsePart in [.head(head), .body(text), .end(nil)] {
            send(wrapOutboundOut(part), nil, context)
        }
        context.flush()
    }

    // MARK: - What is answered

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard visit.state != .leaving else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var response):
            if visit.isLastAnswer { response.headerFields[.connection] = "close" }
            isLast = response.headerFields[.connection] == "close"
            send(wrapOutboundOut(.head(response)), promise, context)
        case .body(var bytes):
            while bytes.readableBytes > limits.slice, let slice = bytes.readSlice(length: limits.slice) {
                send(wrapOutboundOut(.body(slice)), nil, context)
            }
            send(wrapOutboundOut(.body(bytes)), promise, context)
        case .end:
            send(data, promise, context)
            context.flush()
            switch handle(isLast ? .farewell : .answered, context) {
            case .pass, .drop: break
            case .refuse: refuse(context)
            case .leave: context.close(mode: .output, promise: nil)
            }
        }
    }

    /// Notes when the system has taken it.
    private func send(_ part: NIOAny, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        let promise = promise ?? context.eventLoop.makePromise()
        _ = handle(.given, context)
        promise.futureResult.assumeIsolated().whenComplete { result in
            let action = self.handle(.taken, context)
            // What could not be sent tells of a connection that is closed already.
            if case .success = result, action == .leave { context.close(mode: .output, promise: nil) }
        }
        context.write(part, promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        switch handle(.farewell, context) {
        case .leave: context.close(mode: mode, promise: promise)
        // It is done, or will be when all is taken.
        case .pass, .drop, .refuse: promise?.succeed(())
        }
    }
}

@available(*, unavailable)
extension Doorkeeper: Sendable {}

extension Duration {
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
