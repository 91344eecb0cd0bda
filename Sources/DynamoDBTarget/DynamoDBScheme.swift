internal import DynamoDB
package import Targets

extension TargetScheme {
    package static let dynamoDB = TargetScheme(
        "dynamodb", form: "dynamodb:", options: DynamoDBSettings.options
    ) { request throws(TargetError) in
        guard request.rest.isEmpty else {
            throw .misconfigured(
                target: "dynamodb:",
                reason: "nothing stands behind the colon: say where it is by region, endpoint, profile and role")
        }
        return try DynamoDBTarget.make(request)
    }
}
