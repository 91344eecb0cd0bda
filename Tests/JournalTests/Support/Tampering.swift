import LMDB
import StreamModel

@testable import Journal

/// Changes a closed journal behind its back, through LMDB itself.
struct Tampering {
    let path: String

    /// - Parameter body: gets the transaction and the tables.
    func write(_ body: (inout WriteTransaction, Schema) throws(LMDBError) -> Void) throws {
        let environment = try EnvironmentRegistry.open(path, mapSize: 16 << 20, readOnly: false)
        try environment.write { (transaction) throws(LMDBError) in
            let schema = try Schema(creatingIn: &transaction)
            try body(&transaction, schema)
        }
    }

    /// Replaces events and hashes the rest of the log anew, as a forger would, or a broken writer.
    func rewrite(_ change: (Event, WireFormat.Envelope) -> Payload?) throws {
        try write { (transaction, schema) throws(LMDBError) in
            var chain = ChainHash.zero
            var position = Position(1)
            while let value = try transaction.value(for: Schema.key(position), in: schema.log) {
                var value = value
                if let (envelope, payload, naming) = WireFormat.decodeEvent(value) {
                    let event = Event(
                        position: position, time: envelope.time, run: envelope.run, subject: .run,
                        revision: envelope.revision, payload: payload)
                    if let changed = change(event, envelope) {
                        value = encoded(envelope, changed, naming: naming)
                    }
                }
                (value, chain) = chained(value, after: chain)
                try transaction.put(value, for: Schema.key(position), in: schema.log)
                position = position.next
            }
        }
    }
}

/// An event's value, with room for its hash.
func encoded(_ envelope: WireFormat.Envelope, _ payload: Payload, naming shard: ShardKey? = nil) -> [UInt8] {
    var writer = WireWriter()
    writer.skip(ChainHash.count)
    WireFormat.encode(envelope, payload, naming: shard, onto: &writer)
    return writer.written
}

/// `value` with the hash that it has after `previous`, and that hash.
func chained(_ value: [UInt8], after previous: ChainHash) -> (value: [UInt8], hash: ChainHash) {
    var writer = WireWriter()
    writer.append(value.span)
    let hash = Sealed.chain(&writer, from: 0, after: previous)
    return (writer.written, hash)
}

/// A value beside the log, as the journal would have sealed it.
func sealed(under key: [UInt8], _ encode: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    writer.skip(Seal.count)
    encode(&writer)
    Sealed.seal(&writer, under: key)
    return writer.written
}
