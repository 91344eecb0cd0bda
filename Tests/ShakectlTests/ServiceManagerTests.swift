import Dispatcher
import Foundation
import Glibc
import StreamModel
import Synchronization
import Testing

@testable import shakectl

@Suite("Telling a service manager")
struct ServiceManagerTests {
    /// Listens as systemd does.
    private final class Listener {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)

        init(_ address: NotifyAddress) throws {
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            let bytes = address.bytes
            unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: bytes) }
            let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + bytes.count)
            let bound = unsafe withUnsafePointer(to: name) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(socket, $0, length) }
            }
            try #require(bound == 0)
        }

        deinit { close(socket) }

        /// What waits to be read; `nil`: nothing.
        func next() -> String? {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = unsafe recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
        }
    }

    private let signs = VitalSigns(
        written: Sample.now, worker: "here/7", isUp: true, tables: [VitalSigns.Table(name: "orders")])

    private static let places = [
        "\(NSTemporaryDirectory())/shake-notify-\(UUID().uuidString)", "@shake-notify-\(UUID().uuidString)",
    ]

    @Test("Each message is one datagram, to a path and to an abstract name", arguments: ServiceManagerTests.places)
    func sends(text: String) throws {
        let address = try #require(NotifyAddress(text))
        let listener = try Listener(address)
        defer { if case .path(let path) = address { unsafe unlink(path) } }
        let manager = try #require(ServiceManager(address))
        manager.report(signs)
        manager.report(signs)
        manager.stopping("ended: idle")
        #expect(listener.next() == "READY=1\nSTATUS=following orders\nWATCHDOG=1")
        #expect(listener.next() == "WATCHDOG=1")
        #expect(listener.next() == "STOPPING=1\nSTATUS=ended: idle")
        #expect(listener.next() == nil)
    }

    @Test("Where nobody listens yet nothing fails, and what was not heard is said again")
    func nobody() throws {
        let address = try #require(NotifyAddress("@shake-notify-\(UUID().uuidString)"))
        let manager = try #require(ServiceManager(address))
        manager.report(signs)
        let listener = try Listener(address)
        manager.report(signs)
        #expect(listener.next()?.hasPrefix("READY=1\n") == true)
    }

    @Test("Whoever does not read holds nobody up")
    func full() throws {
        let address = try #require(NotifyAddress("@shake-notify-\(UUID().uuidString)"))
        let listener = try Listener(address)
        let manager = try #require(ServiceManager(address))
        // More than the queue of any socket holds (net.unix.max_dgram_qlen).
        for _ in 0..<10_000 { manager.report(signs) }
        #expect(listener.next()?.hasPrefix("READY=1\n") == true)
    }

    @Test("An address is a path or an abstract name that fits")
    func addresses() {
        #expect(NotifyAddress("/run/systemd/notify") == .path("/run/systemd/notify"))
        #expect(NotifyAddress("/run/systemd/notify")?.bytes.last == 0)
        #expect(NotifyAddress("@a") == .abstract("a"))
        #expect(NotifyAddress("@a")?.bytes == [0, UInt8(ascii: "a")])
        for text in ["", "@", "notify", "vsock:2:1234", "/a\0b"] { #expect(NotifyAddress(text) == nil, "\(text)") }
        let path = "/" + String(repeating: "a", count: 106)
        #expect(NotifyAddress(path)?.bytes.count == 108)
        #expect(NotifyAddress(path + "a") == nil)
        let name = "@" + String(repeating: "a", count: 107)
        #expect(NotifyAddress(name)?.bytes.count == 108)
        #expect(NotifyAddress(name + "a") == nil)
    }
}
