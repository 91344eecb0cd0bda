internal import Glibc
package import StreamModel

/// `jsonl:-`: the lines of `JSONLinesTarget` to standard output.
///
/// What was written can't be taken back, so there are no tokens: after a crash, at most one batch a shard comes again.
package actor JSONLinesOutput: Target {
    package nonisolated let name = "jsonl:-"
    package nonisolated let storesPositions = false

    private let descriptor: Int32
    private let executor = BlockingExecutor(label: "shake.jsonl")
    private var lines = LineBuffer()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    init(descriptor: Int32 = STDOUT_FILENO) { self.descriptor = descriptor }

    package nonisolated func takesOver(from earlier: String) -> Bool { false }
    package func open(recoveringTo tokens: [TargetToken]) async throws(TargetError) {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, flags & O_ACCMODE != O_RDONLY else {
            throw .misconfigured(target: name, reason: "standard output is closed: send it to a file or a pipe")
        }
    }
    package func survey(_ table: TableSchema) async throws(TargetError) -> Place {
        Place(object: "standard output", contents: .empty)
    }
    package func hasPlace(for table: TableName) async throws(TargetError) -> Bool { true }
    package func prepare(_ table: TableSchema) async throws(TargetError) {}
    package func positions(of table: TableName) async throws(TargetError) -> [ShardPosition] { [] }
    package func scanPositions(of table: TableName) async throws(TargetError) -> [SegmentPosition] { [] }

    /// What was appended stays: a reader of the lines has to find out by itself.
    package func keys(
        of table: TableSchema, after key: CanonicalKey?, limit: Int
    ) async throws(TargetError) -> [CanonicalKey]? { nil }

    package func write(_ batches: [Batch]) async throws(TargetError) -> [TargetToken?] {
        var written = 0
        do {
            lines.begin()
            for batch in batches {
                try lines.append(batch, target: name) { (bytes) throws(SystemError) in try put(bytes, &written) }
            }
            try lines.flush { (bytes) throws(SystemError) in try put(bytes, &written) }
            // Matters where the output was sent to a file; a pipe or a terminal says that it can't.
            if fdatasync(descriptor) != 0, errno != EINVAL, errno != EROFS, errno != ENOTSUP {
                throw SystemError.last("fdatasync")
            }
            return batches.map { _ in nil }
        } catch let error as SystemError {
            throw translated(error, written)
        } catch let error as TargetError {
            throw error
        } catch {
            throw .unavailable(target: name, reason: "\(error)")
        }
    }

    private func put(_ bytes: [UInt8], _ written: inout Int) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let result = unsafe bytes.withUnsafeBytes {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: $0[done...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if result >= 0 {
                done += result
                written += result
            } else if errno == EAGAIN {
                // The other end made the pipe non-blocking; a full pipe is no error.
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                unsafe poll(&request, 1, -1)
            } else if errno != EINTR {
                throw .last("write")
            }
        }
    }

    private func translated(_ error: SystemError, _ written: Int) -> TargetError {
        if error.code == EPIPE {
            return .broken(
                target: name,
                reason: "the reader of standard output is gone: start it again together with the daemon. What it had"
                    + " read stays counted; at most one batch a shard comes again")
        }
        if written > 0 {
            return .broken(
                target: name,
                reason:
                    "\(error), after \(written) bytes that can't be taken back: start again, at most one batch a shard"
                    + " comes twice")
        }
        return TargetError(error, target: name)
    }

    package func close() async {}
}
