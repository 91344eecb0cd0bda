internal import Dispatcher
internal import Filter
internal import StreamModel

/// Which items are copied, as an operator says it.
extension Configuration {
    /// All expressions take from the same names and values, and each scan is sent what its own uses.
    ///
    /// - Throws: `.usage` where the flags, `.configuration` where a file says what the service would refuse.
    func filters(for daemon: DaemonConfiguration) throws(ShakectlError) -> TableFilters {
        var placeholders: Placeholders
        do throws(FilterError) {
            placeholders = try Placeholders(names: settings.filterNames, values: settings.filterValues)
        } catch {
            throw wrong("the filter's \(error)")
        }
        var filters = TableFilters()
        for text in settings.filterExpressions ?? [] {
            let (table, expression) = Self.split(text)
            if let table { try check(table, "a filter is for", daemon) }
            guard table.map({ filters.tables[$0] }) ?? filters.standard == nil else {
                throw wrong(
                    "two filters for \(table.map { "the table \($0)" } ?? "all tables"): join them with AND or OR")
            }
            let filter: ItemFilter
            do throws(FilterError) { filter = try ItemFilter(expression, &placeholders) } catch {
                throw wrong("the filter '\(expression)': \(error)")
            }
            if let table { filters.tables[table] = filter } else { filters.standard = filter }
        }
        do throws(FilterError) { try placeholders.checkAllUsed() } catch { throw wrong("the filter: \(error)") }
        return filters
    }

    /// `TABLE: CONDITION`. No condition begins with a name and a colon, so nothing else can be meant by it.
    private static func split(_ text: String) -> (TableName?, String) {
        guard let colon = text.firstIndex(of: ":") else { return (nil, text) }
        let name = text[..<colon].drop(while: \.isWhitespace)
        guard ConfigurationKey.isTableName(String(name)) else { return (nil, text) }
        return (TableName(String(name)), String(text[text.index(after: colon)...].drop(while: \.isWhitespace)))
    }
}
