internal import Hummingbird
internal import NIOCore

/// A request's connection, which is closed under a client that takes nothing.
struct StatusContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
