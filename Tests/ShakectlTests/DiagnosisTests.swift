import DynamoDB
import Journal
import StreamModel
import Testing

@testable import shakectl

@Suite("What doctor finds out")
struct DiagnosisTests {
    private func disk(
        _ kind: Disk.Kind = .local, free: UInt64 = 50 << 30, readOnly: Bool = false, mayWrite: Bool = true,
        files: UInt64 = .max
    ) -> Diagnosis {
        .disk(
            Disk(
                place: "/var", fileSystem: "ext4", kind: kind, isReadOnly: readOnly, mayWrite: mayWrite,
                freeBytes: free, bytes: 100 << 30, freeFiles: files), of: "/var/j", for: "journal", holdsJournal: true)
    }

    @Test("A disk must be local, writable and have room")
    func disks() {
        #expect(disk().severity == .ok)
        #expect(disk().detail == "journal /var/j: 50.0 GiB free of 100 GiB (ext4)")
        #expect(disk(.network).exitCode == 78)
        #expect(disk(readOnly: true).exitCode == 77)
        #expect(disk(free: 60 << 20).exitCode == 74)
        #expect(disk(files: 3).exitCode == 74)
        #expect(disk(free: 900 << 20).severity == .warning)
        #expect(disk(.memory).severity == .warning)
        #expect(disk(.container).severity == .warning)
        #expect(Diagnosis.disk(nil, of: "/x", for: "journal", holdsJournal: true).exitCode == 77)
        let target = Disk(place: "/", fileSystem: "nfs", kind: .network, freeBytes: 50 << 30, bytes: 100 << 30)
        #expect(Diagnosis.disk(target, of: "/x", for: "target", holdsJournal: false).severity == .ok)
    }

    @Test("What is there must be writable, and what isn't must be makable")
    func writable() {
        let mine = Disk(place: "/var", fileSystem: "ext4", kind: .local, freeBytes: 1, bytes: 1)
        let other = Disk(place: "/var", fileSystem: "ext4", kind: .local, mayWrite: false, freeBytes: 1, bytes: 1)
        #expect(Diagnosis.writable(mine, "/var/j", isThere: true, mayWrite: true, as: "journal") == nil)
        #expect(Diagnosis.writable(mine, "/var/j", isThere: true, mayWrite: false, as: "journal")?.exitCode == 77)
        #expect(Diagnosis.writable(mine, "/var/j", isThere: false, mayWrite: false, as: "journal") == nil)
        #expect(Diagnosis.writable(other, "/var/j", isThere: false, mayWrite: false, as: "journal")?.exitCode == 73)
    }

    @Test(
        "A clock that is five minutes off is a problem, and five seconds are none",
        arguments: [
            (nil, Diagnosis.Severity.ok), (0.0, .ok), (1.5, .ok), (-4, .ok), (6, .warning), (-299, .warning),
            (300, .problem), (-86_400, .problem),
        ] as [(Double?, Diagnosis.Severity)])
    func clock(lead: Double?, severity: Diagnosis.Severity) {
        #expect(Diagnosis.clock(lead.map { .milliseconds(Int64($0 * 1000)) }).severity == severity)
    }

    @Test("Whose clock is ahead is said")
    func aheadOrBehind() {
        #expect(Diagnosis.clock(.seconds(60)).detail.hasPrefix("this machine's clock is 1 min behind the service's"))
        #expect(Diagnosis.clock(.seconds(-60)).detail.hasPrefix("this machine's clock is 1 min ahead of the service's"))
    }

    private static let procLimits = """
        Limit                     Soft Limit           Hard Limit           Units
        Max cpu time              unlimited            unlimited            seconds
        Max file size             unlimited            unlimited            bytes
        Max open files            1024                 524288               files
        Max address space         unlimited            unlimited            bytes
        """

    @Test("Limits are read as the kernel writes them")
    func limits() {
        let limits = ProcessLimits(Self.procLimits)
        #expect(limits.openFiles == 1024)
        #expect(limits.addressSpace == nil)
        #expect(limits.fileSize == nil)
        #expect(Diagnosis.limits(limits).severity == .ok)
        #expect(Diagnosis.limits(ProcessLimits("")).severity == .ok)
    }

    @Test("Too little of what a daemon takes is a problem")
    func tooLittle() {
        var few = ProcessLimits(Self.procLimits)
        few.openFiles = 64
        #expect(Diagnosis.limits(few).exitCode == 78)
        few.openFiles = 512
        #expect(Diagnosis.limits(few).severity == .warning)
        var small = ProcessLimits(Self.procLimits)
        small.addressSpace = 1 << 30
        #expect(Diagnosis.limits(small).exitCode == 74)
        var short = ProcessLimits(Self.procLimits)
        short.fileSize = 1 << 30
        #expect(Diagnosis.limits(short).severity == .warning)
    }

    @Test("A libcurl without TLS is one for an endpoint without TLS")
    func tls() {
        #expect(Diagnosis.libraries(curl: "c", knowsTLS: false, needsTLS: true, lmdb: "l").exitCode == 78)
        #expect(Diagnosis.libraries(curl: "c", knowsTLS: false, needsTLS: false, lmdb: "l").severity == .ok)
        #expect(Diagnosis.libraries(curl: "c", knowsTLS: true, needsTLS: true, lmdb: "l").detail == "c; l")
    }

    private func denied(_ code: String, _ operation: String = "GetCallerIdentity") -> DynamoDBError {
        .service(
            code: code, message: "no", status: 403, operation: operation, object: "x", requestID: nil)
    }

    @Test("Credentials are told by their key, their place and their owner")
    func credentials() {
        let found = CredentialsInUse(
            accessKeyID: "AKIA1", place: "the environment", isTemporary: true, expiration: Sample.now + .seconds(600))
        let known = Diagnosis.credentials(
            found, .success(CallerIdentity(arn: "arn:aws:iam::1:user/shake", account: "1")), now: Sample.now)
        #expect(known.severity == .ok)
        #expect(
            known.detail
                == "access key AKIA1 from the environment, with a session token, good for 10 min: arn:aws:iam::1:user/shake"
        )
        #expect(Diagnosis.credentials(found, .success(nil), now: Sample.now).severity == .ok)
        #expect(Diagnosis.credentials(found, .failure(denied("InvalidClientTokenId")), now: Sample.now).exitCode == 77)
        // Nothing that the daemon asks.
        #expect(Diagnosis.credentials(found, .failure(denied("AccessDenied")), now: Sample.now).severity == .ok)
        let cut = DynamoDBError.unreachable(endpoint: "e", operation: "GetCallerIdentity", reason: "r")
        #expect(Diagnosis.credentials(found, .failure(cut), now: Sample.now).severity == .ok)
    }

    @Test("A missing permission comes as a statement that can be pasted")
    func statement() {
        let finding = Diagnosis.denied(
            "dynamodb:DescribeStream", table: "orders", "m", on: "arn:x/stream/*", with: ["dynamodb:GetRecords"])
        #expect(
            finding.advice.hasSuffix(
                #"{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords"],"Resource":"arn:x/stream/*"}"#
            ))
        #expect(finding.exitCode == 77)
    }

    @Test("The exit code is that of the worst problem, and 0 without one")
    func exitCode() {
        func code(_ codes: Int32...) -> Int32 {
            Diagnosis.exitCode(of: codes.map { .problem("x", "y", exitCode: $0) } + [.warning("x", "y", do: "z")])
        }
        #expect(code() == 0)
        #expect(code(69, 77) == 77)
        #expect(code(77, 78, 65, 74) == 65)
        #expect(code(75) == 75)
        #expect(code(78, 69) == 78)
    }

    @Test("A finding is a line and one of advice, or an object that always has the same names")
    func shown() {
        let problem = Diagnosis.problem("disk", "full\u{1B}", do: "free some", exitCode: 74)
        #expect(problem.lines(.plain) == ["problem  disk: full\u{FFFD}", "         do: free some"])
        #expect(
            problem.json.line
                == #"{"check":"disk","table":null,"ok":false,"severity":"problem","detail":"full\u001b","advice":"free some","exit_code":74}"#
        )
        let warning = Diagnosis.warning("stream", table: "orders", "none", do: "x")
        #expect(warning.lines(.plain)[0] == "warning  stream orders: none")
        #expect(warning.json.line.contains(#""ok":true,"severity":"warning""#))
        #expect(Diagnosis.ok("a", "b").json.line.hasSuffix(#""advice":null,"exit_code":null}"#))
    }
}
