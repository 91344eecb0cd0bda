internal import MongoC
package import Targets

extension TargetScheme {
    package static let mongoDB = TargetScheme(
        "mongodb", "mongodb+srv", form: "mongodb://HOST/DATABASE",
        options: DocumentFormat.options + TableNames.options
    ) { request throws(TargetError) in
        let settings: MongoSettings
        do throws(MongoError) {
            settings = try MongoSettings(url: request.url, password: request.environment["SHAKE_MONGODB_PASSWORD"])
        } catch {
            throw .misconfigured(target: "mongodb:", reason: error.message)
        }
        guard let database = settings.database, !database.isEmpty else {
            throw .misconfigured(
                target: "mongodb:",
                reason: "the URL names no database: write mongodb://HOST/DATABASE, and with a user of another database "
                    + "mongodb://USER:PASSWORD@HOST/DATABASE?authSource=admin")
        }
        guard !["admin", "local", "config"].contains(database) else {
            throw .misconfigured(
                target: "mongodb:", reason: "the database \(database) is MongoDB's own: name another one in the URL")
        }
        return MongoDBTarget(
            settings: settings, database: database,
            format: try DocumentFormat(request.options, target: "mongodb:"), names: TableNames(request.options),
            existing: request.existing)
    }
}
