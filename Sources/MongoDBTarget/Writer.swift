internal import MongoC

/// Who writes to a database: a session, and the generation that it writes in.
///
/// Each writer raises the generation in `_shake_writer` when it begins, also when a connection was lost and it begins anew. Each of its
/// transactions changes that document as well: so one of an older generation finds nothing to change, and one that was in the
/// middle of it holds up whoever would take over until it has ended.
final class Writer {
    static let collection = "_shake_writer"
    private static let identifier = "writer"

    let client: MongoClient
    let session: MongoSession
    private let database: String
    /// Of whom this is: told from all others.
    private let owner: ObjectID
    /// `nil` where it is beside a daemon, and writes unfenced.
    private let generation: Int64?

    /// Takes nothing over: a daemon goes on writing.
    init(beside client: MongoClient, _ database: String) throws(MongoError) {
        self.client = client
        self.database = database
        session = try MongoSession(client)
        owner = ObjectID()
        generation = nil
    }

    /// Makes every writer before this one an older one.
    init(_ client: MongoClient, _ database: String, owner: ObjectID, generation: inout Int64) throws(MongoError) {
        self.client = client
        self.database = database
        self.owner = owner
        session = try MongoSession(client)
        self.generation = try Self.takeOver(client, database, owner, &generation)
    }

    /// The same after a connection was lost, with what it left running ended first.
    ///
    /// - Parameters:
    ///   - generation: its last one; each attempt has another, so that one that is late does nothing.
    ///   - lost: its sessions.
    /// - Throws: `Consequence.fenced` where another has taken over since.
    init(
        _ client: MongoClient, _ database: String, owner: ObjectID, after generation: inout Int64,
        killing lost: [Document]
    ) throws(MongoError) {
        self.client = client
        self.database = database
        self.owner = owner
        session = try MongoSession(client)
        // None would stand for all of this user's.
        if !lost.isEmpty {
            do throws(MongoError) { try client.command(Commands.killSessions(lost), in: "admin") } catch {
                // A server that has no such command, or forbids it, has told that; the generation keeps order where there are
                // transactions.
                if error.isConnectionLost || Consequence(error) == .retry { throw error }
            }
        }
        generation += 1
        let reply = try client.command(
            Commands.update(Self.collection, Self.mine(owner, below: generation), Self.set(owner, generation)),
            in: database)
        guard reply["n"]?.integer == 1 else { throw Self.fenced }
        self.generation = generation
    }

    private static let fenced = MongoError(code: Consequence.fenced, message: "another writer has this database")

    /// One that is taken over from another at the same time goes on to the next.
    private static func takeOver(
        _ client: MongoClient, _ database: String, _ owner: ObjectID, _ generation: inout Int64
    ) throws(MongoError) -> Int64 {
        for _ in 0..<10 {
            let held = try client.find(theOne, in: database, collection, options: Commands.one).first
            let current = held?["generation"]?.integer ?? 0
            let filter = held == nil ? theOne : at(current)
            do throws(MongoError) {
                let reply = try client.command(
                    Commands.update(collection, filter, set(owner, current + 1), upsert: held == nil), in: database)
                guard reply["n"]?.integer == 1 else { continue }
                generation = current + 1
                return current + 1
            } catch {
                guard error.code == Consequence.duplicateKey else { throw error }
            }
        }
        throw fenced
    }

    // MARK: Writing

    /// Holds the generation for as long as the transaction lasts.
    ///
    /// - Throws: `Consequence.fenced` where another has taken over.
    func fence() throws(MongoError) {
        guard let generation else { return }
        let change = Document { writer in
            writer.name("$inc")
            writer.beginDocument()
            writer.name("writes")
            writer.int64(1)
            writer.end()
        }
        let reply = try client.command(
            Commands.update(Self.collection, Self.mine(owner, at: generation), change, isDurable: false), in: database,
            session: session)
        guard reply["n"]?.integer == 1 else { throw Self.fenced }
    }

    /// Looks whether the generation is the newest. Without transactions that is all that can be done.
    func check() throws(MongoError) {
        guard let generation else { return }
        let held = try client.find(
            Self.mine(owner, at: generation), in: database, Self.collection, options: Commands.one, session: session)
        guard !held.isEmpty else { throw Self.fenced }
    }

    /// Does all or nothing. It is committed when this returns.
    func transaction(_ body: () throws(MongoError) -> Void) throws(MongoError) {
        try session.begin(limit: Commands.limit)
        do throws(MongoError) {
            try body()
        } catch {
            session.abort()
            throw error
        }
        // Asked again where nobody says how it ended: the server knows by its number whether it did it.
        var attempts = 0
        while true {
            do throws(MongoError) { return try session.commit() } catch {
                attempts += 1
                guard error.isCommitUnknown, attempts < 3 else { throw error }
            }
        }
    }

    // MARK: Documents

    private static let theOne = Commands.equal("_id", identifier)

    private static func at(_ generation: Int64) -> Document {
        Document { writer in
            writer.name("_id")
            writer.string(identifier)
            writer.name("generation")
            writer.int64(generation)
        }
    }

    private static func mine(_ owner: ObjectID, at generation: Int64) -> Document {
        Document { writer in
            writer.name("_id")
            writer.string(identifier)
            writer.name("owner")
            writer.objectID(owner)
            writer.name("generation")
            writer.int64(generation)
        }
    }

    private static func mine(_ owner: ObjectID, below generation: Int64) -> Document {
        Document { writer in
            writer.name("_id")
            writer.string(identifier)
            writer.name("owner")
            writer.objectID(owner)
            writer.name("generation")
            writer.beginDocument()
            writer.name("$lt")
            writer.int64(generation)
            writer.end()
        }
    }

    private static func set(_ owner: ObjectID, _ generation: Int64) -> Document {
        Document { writer in
            writer.name("$set")
            writer.beginDocument()
            writer.name("owner")
            writer.objectID(owner)
            writer.name("generation")
            writer.int64(generation)
            writer.end()
        }
    }
}
