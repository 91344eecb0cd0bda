package import Targets

extension TargetScheme {
    package static let mongoDB = TargetScheme("mongodb", form: "mongodb://HOST/DATABASE") {
        request throws(TargetError) in
        throw .misconfigured(target: "mongodb:", reason: "this target is being built, and can't be used yet")
    }
}
