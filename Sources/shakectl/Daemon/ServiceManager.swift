internal import Dispatch
internal import Dispatcher
internal import Foundation
internal import Glibc
internal import Synchronization

/// The service manager that has started the daemon and wants to hear how it fares: systemd, or who does the same
/// (sd_notify(3)). One datagram a message; nobody answers.
final class ServiceManager: Sendable {
    private let address: NotifyAddress
    private let socket: Int32
    private let notices: Mutex<ServiceNotices>

    /// Takes what it was given out of the environment, so that nothing that it starts speaks in its name; `nil` where nobody
    /// asked. To be called first of all: nothing may look at the environment meanwhile.
    static func adopt() -> ServiceManager? {
        let told = ProcessInfo.processInfo.environment[NotifyAddress.variable]
        for name in [NotifyAddress.variable, "WATCHDOG_USEC", "WATCHDOG_PID"] { unsafe unsetenv(name) }
        return told.flatMap { NotifyAddress($0) }.flatMap { ServiceManager($0) }
    }

    /// `nil` where there is no socket to be had.
    init?(_ address: NotifyAddress) {
        self.address = address
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        notices = Mutex(ServiceNotices(began: Self.uptime))
        if socket < 0 { return nil }
    }

    deinit { if socket >= 0 { close(socket) } }

    /// How it fares; every other second.
    func report(_ signs: VitalSigns) { say { $0.message(of: signs, uptime: Self.uptime) } }

    /// It is to end, or it ends.
    func stopping(_ reason: String) { say { $0.farewell(reason) } }

    private func say(_ choose: (ServiceNotices) -> ServiceNotices.Message?) {
        notices.withLock { notices in
            guard let message = choose(notices), send(message.text) else { return }
            notices.sent(message)
        }
    }

    /// Waits for nobody: a manager that does not read must not hold up the daemon.
    private func send(_ text: String) -> Bool {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let (path, bytes) = (address.bytes, Array(text.utf8))
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + path.count)
        let sent = unsafe withUnsafePointer(to: name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bytes.withUnsafeBytes { bytes in
                    unsafe sendto(
                        socket, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT), pointer, length)
                }
            }
        }
        return sent == bytes.count
    }

    /// Since the machine has started; what it slept counts for nothing.
    private static var uptime: Duration { .nanoseconds(DispatchTime.now().uptimeNanoseconds) }
}
