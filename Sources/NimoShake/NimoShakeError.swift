/// Why NimoShake's checkpoints can't be read. Each text says what is wrong, with what, and what to do.
package enum NimoShakeError: Error, Hashable, CustomStringConvertible {
    case noFolder(path: String)
    case notAFolder(path: String)
    case unreadable(path: String, reason: String)
    /// Nothing in the folder, or the database, is NimoShake's.
    case nothingThere(source: String)
    case brokenLine(path: String, line: Int, reason: String)
    case brokenStatus(path: String)
    /// A line of nimo-shake.conf that is no `key = value`.
    case brokenConfiguration(path: String, line: Int)
    case noConfiguration(path: String)
    /// A document of a database that is no checkpoint.
    case brokenDocument(source: String, collection: String, reason: String)
    /// The URL names no database server.
    case badAddress(reason: String)
    /// The database can't be reached.
    case database(source: String, reason: String)
    /// It lets this user not in, or not read.
    case databaseRefuses(source: String, reason: String)
    /// The checkpoints are in a MongoDB, which is not read by this build.
    case noDatabaseRead

    package var description: String {
        switch self {
        case .noFolder(let path):
            "\(path): there is no such folder. NimoShake's file checkpoints lie in the folder that its checkpoint.db names "
                + "(\"ID-checkpoint\" where that is empty), relative to where it was started"
        case .notAFolder(let path):
            "\(path): this is a file, and the checkpoints are a folder with one file a table: name that folder"
        case .unreadable(let path, let reason):
            "\(path): can't be read (\(reason)): run as its owner, or grant the rights"
        case .nothingThere(let source):
            "\(source): this holds no checkpoints of NimoShake: neither a \(NimoShakeWords.statusTable) nor one of a table. Name the "
                + "place that its checkpoint.db says"
        case .brokenLine(let path, let line, let reason):
            "\(path):\(line): this is no checkpoint of NimoShake (\(reason)). Nothing was imported; NimoShake would not start "
                + "with it either. Mend or take away the file, and run Shake with a full sync of that table"
        case .brokenStatus(let path):
            "\(path): this is no status of NimoShake, whose crash may have cut it off. Nothing was imported: whether its full sync was "
                + "done can't be told, and NimoShake would not start with it either"
        case .brokenConfiguration(let path, let line):
            "\(path):\(line): expected 'key = value', as nimo-shake.conf has it, and a comment begins with #"
        case .noConfiguration(let path): "\(path): there is no key of NimoShake's in it: name its nimo-shake.conf"
        case .brokenDocument(let source, let collection, let reason):
            "\(source): a document of \(collection) is no checkpoint of NimoShake (\(reason)). Nothing was imported; NimoShake would not start "
                + "with it either. Mend or take away the document, or name the database that its checkpoint.db says"
        case .badAddress(let reason): "\(reason)"
        case .database(let source, let reason), .databaseRefuses(let source, let reason): "\(source): \(reason)"
        case .noDatabaseRead:
            "checkpoints in MongoDB are not read by this build, which was made without the trait MongoDB. Write each collection of that database into a folder, one file a "
                + "collection under its name (`mongoexport --db=nimo-shake-checkpoint --collection=NAME --out=FOLDER/NAME`, and so the "
                + "\(NimoShakeWords.statusTable)), and import that folder"
        }
    }

    /// DESIGN 6.
    package var exitCode: Int32 {
        switch self {
        case .noFolder, .notAFolder, .badAddress, .noDatabaseRead: 64
        case .unreadable, .databaseRefuses: 77
        case .nothingThere, .brokenLine, .brokenStatus, .brokenDocument: 65
        case .database: 69
        case .brokenConfiguration, .noConfiguration: 78
        }
    }
}
