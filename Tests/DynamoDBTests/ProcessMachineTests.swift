import Testing

@testable import DynamoDB

@Suite("The end of a program that prints credentials")
struct ProcessMachineTests {
    private static func ending(_ events: ProcessMachine.Event...) -> ProcessMachine.Ending? {
        var machine = ProcessMachine()
        for event in events { machine.handle(event) }
        return machine.ending
    }

    @Test("It is over when it has ended and its output has, in whichever order")
    func both() {
        let whole = ProcessMachine.Ending.ended(status: 3, output: [1, 2])
        #expect(Self.ending(.printed([1]), .printed([2]), .ended(status: 3), .outputEnded) == whole)
        #expect(Self.ending(.printed([1]), .ended(status: 3), .printed([2]), .outputEnded) == whole)
        #expect(Self.ending(.printed([1, 2]), .outputEnded, .ended(status: 3)) == whole)
        #expect(Self.ending(.printed([1, 2]), .outputEnded) == nil)
        #expect(Self.ending(.printed([1, 2]), .ended(status: 3)) == nil)
    }

    @Test("At the bound it hangs, or something holds its output")
    func bound() {
        #expect(Self.ending(.printed([1]), .boundReached) == .hangs)
        #expect(Self.ending(.outputEnded, .boundReached) == .hangs)
        #expect(Self.ending(.printed([1]), .ended(status: 0), .boundReached) == .isHeld(status: 0))
    }

    @Test("What comes after its ending changes nothing")
    func late() {
        #expect(Self.ending(.cancelled, .ended(status: 0), .outputEnded) == .cancelled)
        #expect(Self.ending(.boundReached, .ended(status: 0), .outputEnded, .cancelled) == .hangs)
        #expect(
            Self.ending(.ended(status: 0), .outputEnded, .boundReached, .cancelled) == .ended(status: 0, output: []))
    }

    @Test("No more is read than any credentials are long, nor what nobody waits for")
    func bounds() {
        var machine = ProcessMachine()
        machine.handle(.printed([UInt8](repeating: 0, count: ProcessMachine.longest)))
        #expect(machine.isRead)
        machine.handle(.printed([0]))
        #expect(!machine.isRead)
        var cancelled = ProcessMachine()
        cancelled.handle(.cancelled)
        #expect(!cancelled.isRead)
    }
}
