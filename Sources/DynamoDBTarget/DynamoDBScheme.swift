package import Targets

extension TargetScheme {
    package static let dynamoDB = TargetScheme("dynamodb", form: "dynamodb:") { request throws(TargetError) in
        throw .misconfigured(target: "dynamodb:", reason: "this target is being built, and can't be used yet")
    }
}
