internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import StreamSim

/// Takes the requests of one connection, and delivers each reply as the network of a bad day would.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// The service takes 16 MB (API Reference, BatchWriteItem); the form of the wire adds to that.
    private static let largestBody = 64 << 20

    private let service: Service
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLarge = false
    /// The connection was broken on purpose: nothing more is read from it or written to it.
    private var isBroken = false

    init(_ service: Service) { self.service = service }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isBroken else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            (body, isTooLarge) = ([], false)
        case .body(let part):
            // The rest is read as well, and let go: who still sends hears no answer.
            isTooLarge = isTooLarge || body.count + part.readableBytes > Self.largestBody
            if isTooLarge { body = [] } else { body += part.readableBytesView }
        case .end:
            guard let head = head.take() else { return }
            guard !isTooLarge else { return deliver(.tooLarge, to: head, keepingAlive: false, context) }
            let reply = service.answer(
                Service.Call(
                    method: head.method.rawValue, uri: head.uri, target: head.headers.first(name: "X-Amz-Target"),
                    isSigned: head.headers.contains(name: "Authorization"), body: body))
            deliver(reply, to: head, keepingAlive: head.isKeepAlive, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func deliver(
        _ reply: Reply, to request: HTTPRequestHead, keepingAlive isKeptAlive: Bool, _ context: ChannelHandlerContext
    ) {
        let isWithBody = request.method != .HEAD
        switch reply.delivery {
        case .whole: write(reply, isWithBody ? reply.body.count : nil, keepingAlive: isKeptAlive, context)
        case .delayed(let microseconds):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .microseconds(microseconds)) {
                let (handler, context) = bound.value
                handler.write(reply, isWithBody ? reply.body.count : nil, keepingAlive: isKeptAlive, context)
            }
        case .truncated(let count):
            isBroken = true
            write(reply, count, keepingAlive: false, context)
        case .resetBeforeEffect, .resetAfterEffect:
            isBroken = true
            reset(context)
        }
    }

    /// - Parameter count: how many bytes of the body are sent of what the head announces; `nil`: the head is all.
    private func write(
        _ reply: Reply, _ count: Int?, keepingAlive isKeptAlive: Bool, _ context: ChannelHandlerContext
    ) {
        let checksum = CRC32.checksum(reply.body) &+ (reply.hasWrongChecksum ? 1 : 0)
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: reply.status),
            headers: [
                "Content-Type": reply.contentType, "Content-Length": "\(reply.body.count)",
                "x-amz-crc32": "\(checksum)", "x-amzn-RequestId": service.nextRequestID(),
                "Connection": isKeptAlive ? "keep-alive" : "close",
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if let count {
            let sent = ByteBuffer(bytes: reply.body.prefix(count))
            context.write(wrapOutboundOut(.body(.byteBuffer(sent))), promise: nil)
        }
        guard count ?? reply.body.count == reply.body.count else {
            // The end would complain of what is missing; the connection just breaks.
            context.flush()
            return context.close(promise: nil)
        }
        let isWritten = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !isKeptAlive {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            isWritten.whenComplete { _ in bound.value.close(promise: nil) }
        }
    }

    /// Without a goodbye: what the other side has sent or waits for is gone.
    private func reset(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let linger = linger(l_onoff: 1, l_linger: 0)
        guard let options = context.channel as? any SocketOptionProvider else { return context.close(promise: nil) }
        options.setSoLinger(linger).whenComplete { _ in bound.value.close(promise: nil) }
    }
}
