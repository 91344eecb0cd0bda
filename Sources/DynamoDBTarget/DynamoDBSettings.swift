internal import DynamoDB
internal import StreamModel
internal import Targets

/// What was said of the target beside its URL.
struct DynamoDBSettings: Hashable, Sendable {
    static let region = TargetOption("region", expects: "an AWS region, such as eu-west-1")
    static let endpoint = TargetOption("endpoint", expects: "the URL of an endpoint, such as http://localhost:8000")
    static let profile = TargetOption("profile", expects: "the name of a profile in the shared files")
    static let role = TargetOption("role", expects: "a role's ARN, such as arn:aws:iam::123456789012:role/shake")
    static let externalID = TargetOption("external_id", expects: "what the role's owner asks of who assumes it")
    static let create = TargetOption.onOrOff("create")
    static let billing = TargetOption("billing", Billing.self)
    static let guarding = TargetOption("guard", Guard.self)
    static let settle = TargetOption("settle", expects: "a duration up to an hour, such as 10s, 500ms or 1h")
    static let strip = TargetOption.onOrOff("strip_replication")
    static let connections = TargetOption("connections", expects: "a number from 1 to 64")
    static let options =
        [
            region, endpoint, profile, role, externalID, create, billing, guarding, settle, strip, connections,
        ] + TableNames.options

    /// How a table that is made is paid for.
    enum Billing: String, CaseIterable, Hashable, Sendable {
        /// As the source's is.
        case copy
        case onDemand = "on-demand"
    }

    /// How a late effect of a call that was given up is kept from undoing a newer change.
    enum Guard: String, CaseIterable, Hashable, Sendable {
        /// A newer change of its keys waits.
        case wait
        /// The call is repeated by its token until it is answered.
        case transaction
    }

    var names = TableNames(TargetOptions())
    var existing = ExistingPolicy.refuse
    var creates = false
    var billing = Billing.copy
    var guarding = Guard.wait
    var settle: Duration = .seconds(10)
    var stripsReplication = false
    var connections = 8

    init() {}

    init(_ request: TargetRequest) throws(TargetError) {
        func refused(_ reason: String) -> TargetError { .misconfigured(target: "dynamodb:", reason: reason) }
        let options = request.options
        names = TableNames(options)
        existing = request.existing
        creates = options.isOn(Self.create) ?? creates
        billing = options.choice(Self.billing) ?? billing
        guarding = options.choice(Self.guarding) ?? guarding
        stripsReplication = options.isOn(Self.strip) ?? stripsReplication
        if let text = options.text(Self.settle) {
            guard let duration = Duration(spelled: text), duration <= .seconds(3600) else {
                throw refused("'settle' expects \(Self.settle.expects), and not '\(text)'")
            }
            settle = duration
        }
        if let text = options.text(Self.connections) {
            guard let number = Int(text), (1...64).contains(number) else {
                throw refused("'connections' expects \(Self.connections.expects), and not '\(text)'")
            }
            connections = number
        }
        switch existing {
        case .refuse, .append: break
        case .replace where creates: break
        case .replace:
            throw refused("existing replace drops a table, and without create=true no other is made: say that, too")
        case .rename:
            throw refused(
                "DynamoDB can't give a table another name: fill it on (existing append), have it dropped (replace), or name"
                    + " another one for the copy by tables or prefix")
        }
        if options.text(Self.externalID) != nil, options.text(Self.role) == nil {
            throw refused("external_id is said to a role, and none is named: name it by role")
        }
    }

    /// Where the target is, as the client is told it.
    static func place(_ options: TargetOptions) -> SourceConfiguration {
        var place = SourceConfiguration(
            region: options.text(region), endpoint: options.text(endpoint), profile: options.text(profile))
        place.role = options.text(role)
        place.externalID = options.text(externalID)
        place.regionSetting = "--target-option region=…"
        place.endpointSetting = "the target's endpoint"
        return place
    }
}
