internal import AllTargets
internal import DynamoDB
internal import Logging
internal import Targets

/// What is made of a configuration, once all of it is known to be right.
extension Configuration {
    /// Logs to standard error, as it is wanted there.
    func makeLogger(_ environment: [String: String]) -> Logger {
        Logger(label: "shakectl") { _ in
            ConsoleLogHandler(
                level: logLevel, format: logFormat, palette: Palette(descriptor: 2, environment: environment))
        }
    }

    /// With the region of the instance that this runs on, where nobody has said one.
    func located(_ environment: [String: String]) async throws(ShakectlError) -> Configuration {
        do {
            return located(
                in: try await DynamoDBClient.regionOfInstance(
                    SourceConfiguration(
                        region: settings.region, endpoint: settings.endpoint, profile: settings.profile),
                    environment: environment))
        } catch {
            throw .source(error)
        }
    }

    func makeTarget(_ environment: [String: String]) throws(ShakectlError) -> any Target {
        let url = try target()
        do {
            return try TargetSchemes.all.make(
                url, existing: settings.existing ?? .refuse, options: settings.targetOptions ?? TargetOptions(),
                environment: environment,
                source: TargetRequest.Source(
                    region: settings.region, endpoint: settings.endpoint, profile: settings.profile))
        } catch {
            throw .target(error)
        }
    }

    func makeClient(
        environment: [String: String], _ trouble: SourceTrouble, _ calls: SourceCalls? = nil
    ) async throws(ShakectlError) -> DynamoDBClient {
        var onAnswer: DynamoDBClient.AnswerObserver?
        if let calls { onAnswer = { calls.ended($0, $1, $2) } }
        do {
            let client = try DynamoDBClient.make(
                SourceConfiguration(region: settings.region, endpoint: settings.endpoint, profile: settings.profile),
                environment: environment, limits: limits,
                onRetry: { error, delay in
                    trouble.note(error, again: delay)
                    calls?.again()
                }, onAnswer: onAnswer)
            try await client.checkCredentials()
            return client
        } catch {
            throw .source(error)
        }
    }
}
