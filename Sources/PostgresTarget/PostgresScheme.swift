package import Targets

extension TargetScheme {
    package static let postgres = TargetScheme("postgres", form: "postgres://HOST/DATABASE") {
        request throws(TargetError) in
        throw .misconfigured(target: "postgres:", reason: "this target is being built, and can't be used yet")
    }
}
