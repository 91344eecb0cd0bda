internal import LibPQ
package import Targets

extension TargetScheme {
    private static let schema = TargetOption("schema", expects: "the name of a schema, such as replica")

    package static let postgres = TargetScheme(
        "postgres", "postgresql", form: "postgres://HOST/DATABASE",
        options: [schema, Columns.option] + TableNames.options
    ) { request throws(TargetError) in
        let settings: ConnectionSettings
        do throws(PostgresError) { settings = try ConnectionSettings(url: request.url) } catch {
            throw .misconfigured(target: "postgres:", reason: error.message)
        }
        return PostgresTarget(
            settings: settings, schema: request.options.text(schema) ?? "public", names: TableNames(request.options),
            columns: try Columns(request.options, target: "postgres:"), existing: request.existing)
    }
}
