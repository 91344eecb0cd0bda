import StreamModel
import Testing

@testable import shakectl

@Suite("The crash hook")
struct CrashHookTests {
    @Test("Without its variable there is none")
    func absent() throws {
        #expect(try CrashHook([:]) == nil)
        #expect(try CrashHook(["SHAKE_CRASH_AT": ""]) == nil)
    }

    @Test("Each point can be named, with a count or without")
    func points() throws {
        for point in CrashPoint.allCases {
            #expect(try CrashHook(["SHAKE_CRASH_AT": point.rawValue]) != nil)
            #expect(try CrashHook(["SHAKE_CRASH_AT": "\(point.rawValue):17"]) != nil)
        }
    }

    @Test(
        "A value that is none is an error that lists the points",
        arguments: ["nowhere", "before_append:0", "before_append:x", "before_append:1:2"])
    func wrong(value: String) {
        #expect {
            _ = try CrashHook(["SHAKE_CRASH_AT": value])
        } throws: { error in
            "\(error)".contains("after_target_write") && (error as? ShakectlError)?.exitCode == 78
        }
    }
}
