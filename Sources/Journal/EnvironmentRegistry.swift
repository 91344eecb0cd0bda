internal import Glibc
internal import LMDB
internal import Synchronization

/// One environment for each folder of this process: LMDB's file locks belong to the process, and a second opening's end
/// would drop the first one's (lmdb.h, caveats).
enum EnvironmentRegistry {
    private struct Held {
        weak var environment: Environment?
        /// `nil` where nobody can tell.
        let file: FileSystem.Identity?
    }

    private static let held = Mutex<[String: Held]>([:])

    /// - Parameters:
    ///   - readOnly: whether that is enough. An environment that is open already is shared as it is.
    ///   - isCopy: nobody else has it open, and nobody writes to it.
    static func open(
        _ path: String, mapSize: Int, readOnly: Bool, isCopy: Bool = false
    ) throws(LMDBError) -> Environment {
        let name = canonical(path)
        // Under the lock, so that two openings of one folder can't pass each other.
        let result: Result<Environment, LMDBError> = held.withLock { held in
            // Of a file that was removed, and lives on under no name, nothing is shared.
            if let known = held[name], let environment = known.environment, readOnly || !environment.isReadOnly,
                known.file == FileSystem.identity(of: dataFile(name))
            {
                return .success(environment)
            }
            do throws(LMDBError) {
                let environment = try Environment(
                    path: path,
                    Environment.Options(
                        mapSize: mapSize, readOnly: isCopy || readOnly && !FileSystem.canWrite(all: path),
                        lockless: isCopy))
                held[name] = Held(environment: environment, file: FileSystem.identity(of: dataFile(name)))
                return .success(environment)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func dataFile(_ folder: String) -> String { "\(folder)/data.mdb" }

    private static func canonical(_ path: String) -> String {
        guard let resolved = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
