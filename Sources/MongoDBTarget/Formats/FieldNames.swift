internal import MongoC

/// What an attribute's name is called as a field's, so that every version of a server takes it, and the name comes back.
///
/// `%` begins an escape: `%25` is itself, `%2E` a dot and `%24` a dollar sign at the beginning, which old servers refuse and new ones take
/// for a path or an operator in most places; `%00` is U+0000, which ends a name in BSON; and `%` alone is the empty name, which
/// libmongoc refuses. At the top `_id` is the key's (`%5Fid`), and what begins with `_shake` Shake's own (`%5Fshake`).
///
/// NimoShake's names are as it writes them, save for what would not come back: a `%` is escaped only where it would be taken for an
/// escape, and an attribute that already is called like a renamed `_id` is escaped in its first character.
struct FieldNames: Hashable, Sendable {
    enum Rule: Hashable, Sendable {
        case shake
        /// `_id` is renamed to `<prefix>_id`; everywhere, or at the top.
        case nimoShake(prefix: [UInt8], isEverywhere: Bool)
    }

    private static let identifier = Array("_id".utf8)
    /// Begins every field at the top that is Shake's own.
    static let own = Array("_shake".utf8)
    private static let percent = UInt8(ascii: "%")

    private let rule: Rule
    /// What `_id` is called in NimoShake's documents.
    private let renamed: [UInt8]

    init(_ rule: Rule) {
        self.rule = rule
        switch rule {
        case .shake: renamed = []
        case .nimoShake(let prefix, isEverywhere: _): renamed = prefix + Self.identifier
        }
    }

    // MARK: To a field

    /// Writes it as the name of the next field. Most names stand as they are, and are not copied.
    func write(_ name: Span<UInt8>, isTop: Bool, to writer: inout DocumentWriter) {
        if mayStand(name) {
            writer.name(name)
        } else {
            writer.name(field(bytes(name), isTop: isTop))
        }
    }

    func field(_ name: [UInt8], isTop: Bool) -> [UInt8] {
        switch rule {
        case .shake:
            if isTop, name == Self.identifier || name.starts(with: Self.own) {
                return Self.escape(name[0]) + Self.escaped(name.dropFirst(), isFirst: false)
            }
            return Self.escaped(name[...], isFirst: true)
        case .nimoShake(prefix: _, isEverywhere: let isEverywhere):
            if isTop || isEverywhere {
                if name == Self.identifier { return renamed }
                if name == renamed { return Self.escape(name[0]) + Self.escaped(name.dropFirst(), isFirst: false) }
            } else if name == Self.identifier {
                return name
            }
            let isStrange =
                name.isEmpty || name.first == UInt8(ascii: "$") || name.contains(0) || name.contains(UInt8(ascii: "."))
            return isStrange || unescaped(name) != name ? Self.escaped(name[...], isFirst: true) : name
        }
    }

    /// A quick look for names in which there is nothing to be escaped.
    private func mayStand(_ name: Span<UInt8>) -> Bool {
        guard name.count > 0 else { return false }
        // `_id`, `_shake…`, `<prefix>_id` and what may be one of them.
        if name[0] == UInt8(ascii: "_") || name[0] == UInt8(ascii: "$") { return false }
        if !renamed.isEmpty, name[0] == renamed[0] { return false }
        for place in name.indices where name[place] == Self.percent || name[place] == UInt8(ascii: ".") || name[place] == 0 {
            return false
        }
        return true
    }

    private static func escaped(_ name: ArraySlice<UInt8>, isFirst: Bool) -> [UInt8] {
        if name.isEmpty { return isFirst ? [percent] : [] }
        var field: [UInt8] = []
        field.reserveCapacity(name.count + 4)
        for (index, byte) in name.enumerated() {
            switch byte {
            case percent, UInt8(ascii: "."), 0: field += escape(byte)
            case UInt8(ascii: "$") where isFirst && index == 0: field += escape(byte)
            default: field.append(byte)
            }
        }
        return field
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [percent, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    // MARK: From a field

    /// - Returns: `nil` for a field at the top that is no attribute: the key's, and Shake's own.
    /// - Throws: for an escape that is none.
    func name(_ field: ArraySlice<UInt8>, isTop: Bool) throws(FormatError) -> [UInt8]? {
        let field = Array(field)
        switch rule {
        case .shake:
            if isTop, field == Self.identifier || field.starts(with: Self.own) { return nil }
            guard let name = unescaped(field) else {
                throw .foreign(
                    field: String(decoding: field, as: UTF8.self), problem: "has a % in its name that begins no escape")
            }
            return name
        case .nimoShake(prefix: _, isEverywhere: let isEverywhere):
            if isTop, field == Self.identifier { return nil }
            if isTop || isEverywhere, field == renamed { return Self.identifier }
            return unescaped(field) ?? field
        }
    }

    /// - Returns: `nil` where a `%` begins no escape. In NimoShake's documents such a one stands for itself.
    private func unescaped(_ field: [UInt8]) -> [UInt8]? {
        guard field.contains(Self.percent) else { return field }
        if field == [Self.percent] { return [] }
        var name: [UInt8] = []
        name.reserveCapacity(field.count)
        var place = 0
        while place < field.count {
            if field[place] != Self.percent {
                name.append(field[place])
                place += 1
            } else if place + 2 < field.count, let high = Self.digit(field[place + 1]), let low = Self.digit(field[place + 2]) {
                name.append(high << 4 | low)
                place += 3
            } else if case .shake = rule {
                return nil
            } else {
                name.append(field[place])
                place += 1
            }
        }
        return name
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private func bytes(_ name: Span<UInt8>) -> [UInt8] { name.indices.map { name[$0] } }
}
