@testable import Journal
import LMDB
import StreamModel

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
                        value = WireFormat.encode(envelope, changed, naming: naming)
                    }
                }
                chain = Sealed.seal(&value, after: chain)
                try transaction.put(value, for: Schema.key(position), in: schema.log)
                position = position.next
            }
        }
    }
}

/// A value beside the log, as the journal would have sealed it.
func sealed(_ unsealed: [UInt8], under key: [UInt8]) -> [UInt8] {
    var value = unsealed
    Sealed.seal(&value, under: key)
    return value
}
