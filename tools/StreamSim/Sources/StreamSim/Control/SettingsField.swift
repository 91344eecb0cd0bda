/// A setting, as the control interface names and writes it.
struct SettingsField: Sendable {
    let name: Text
    let read: @Sendable (Settings) -> JSON
    /// - Returns: whether the value fits.
    let write: @Sendable (JSON, inout Settings) -> Bool

    static let all: [SettingsField] = [
        number("faults", \.faults, 0...100), number("shards", \.shards, 1...10_000),
        number("shards_of_a_page", \.shardsOfAPage, 1...100), number("records_of_a_page", \.recordsOfAPage, 1...1000),
        number("items_of_a_page", \.itemsOfAPage, 1...1_000_000), number("empty_pages", \.emptyPages, 0...100),
        number("short_pages", \.shortPages, 0...100), milliseconds("listing_lag_ms", \.listingLag),
        number("contradictory_listings", \.contradictoryListings, 0...100),
        flag("shuffled_listings", \.shuffledListings),
        milliseconds("iterator_lifetime_ms", \.iteratorLifetime), milliseconds("retention_ms", \.retention),
        flag("spells_end_as_null", \.spellsEndAsNull), number("unprocessed_items", \.unprocessedItems, 0...100),
        milliseconds("table_delay_ms", \.tableDelay), milliseconds("longest_delay_ms", \.longestDelay),
        SettingsField(
            name: "throttled_tables", read: { .array($0.throttledTables.sorted().map { .string($0) }) },
            write: { json, settings in
                guard let names = json.elements?.map(\.text), names.allSatisfy({ $0 != nil }) else { return false }
                settings.throttledTables = Set(names.compactMap { $0 })
                return true
            }),
    ]

    private static func number(
        _ name: Text, _ path: any WritableKeyPath<Settings, Int> & Sendable, _ range: ClosedRange<Int64>
    ) -> SettingsField {
        SettingsField(
            name: name, read: { .number(Text("\($0[keyPath: path])")) },
            write: { json, settings in
                guard let number = json.integer, range.contains(number) else { return false }
                settings[keyPath: path] = Int(number)
                return true
            })
    }

    private static func milliseconds(
        _ name: Text, _ path: any WritableKeyPath<Settings, Int64> & Sendable
    ) -> SettingsField {
        SettingsField(
            name: name, read: { .number(Text("\($0[keyPath: path] / 1000)")) },
            write: { json, settings in
                guard let number = json.integer, (0...4_000_000_000_000).contains(number) else { return false }
                settings[keyPath: path] = number * 1000
                return true
            })
    }

    private static func flag(_ name: Text, _ path: any WritableKeyPath<Settings, Bool> & Sendable) -> SettingsField {
        SettingsField(
            name: name, read: { .bool($0[keyPath: path]) },
            write: { json, settings in
                guard case .bool(let value) = json else { return false }
                settings[keyPath: path] = value
                return true
            })
    }
}
