internal import Dispatch
internal import Foundation
internal import Glibc
internal import StreamModel
internal import Synchronization

/// Waits for a program's output and its end. It knows how, `ProcessMachine` what they mean.
final class ProcessRun: Sendable {
    private struct State {
        var machine = ProcessMachine()
        var continuation: CheckedContinuation<ProcessMachine.Ending, Never>?
    }

    private let child: ChildProcess
    private let state = Mutex(State())

    init(_ child: ChildProcess) { self.child = child }

    /// Once; what was started is over then, save what has left its group.
    func ending(within bound: Duration, _ surroundings: Surroundings) async -> ProcessMachine.Ending {
        let patience = Task(executorPreference: surroundings.executor) { [self] in
            do { try await surroundings.sleep(for: bound) } catch { return }
            handle(.boundReached)
        }
        let source = DispatchSource.makeReadSource(
            fileDescriptor: child.output, queue: DispatchQueue(label: "credential_process"))
        source.setEventHandler { [self] in
            while state.withLock({ $0.machine.isRead }) {
                guard let bytes = child.read() else { return }
                handle(bytes.isEmpty ? .outputEnded : .printed(bytes))
            }
            source.cancel()
        }
        source.setCancelHandler { [self] in
            close(child.output)
            handle(.outputEnded)
        }
        source.activate()
        // It blocks, so it has a thread of its own.
        Thread.detachNewThread { [self] in handle(.ended(status: child.wait())) }
        let ending = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ending = state.withLock { state in
                    if state.machine.ending == nil { state.continuation = continuation }
                    return state.machine.ending
                }
                if let ending { continuation.resume(returning: ending) }
            }
        } onCancel: {
            handle(.cancelled)
        }
        patience.cancel()
        source.cancel()
        if case .ended = ending {
            child.reap()
        } else {
            // Its number has not been given back, so it is nobody else's.
            child.endGroup()
            Thread.detachNewThread { [child] in child.reap() }
        }
        return ending
    }

    private func handle(_ event: ProcessMachine.Event) {
        let (continuation, ending) = state.withLock { state in
            state.machine.handle(event)
            return (state.machine.ending == nil ? nil : state.continuation.take(), state.machine.ending)
        }
        if let ending { continuation?.resume(returning: ending) }
    }
}
