import DynamoDB
import Journal
import StreamModel
import Targets
import Testing

@testable import Dispatcher

@Suite("Why a table or the daemon can't go on")
struct DaemonErrorTests {
    private struct Stranger: Error {}

    @Test("Only what was cancelled is no error")
    func cancelled() {
        #expect(asDaemonError(CancellationError()) == nil)
        #expect(asDaemonError(DynamoDBError.cancelled) == nil)
        #expect(asDaemonError(DynamoDBError.named("AccessDeniedException"))?.code == "AccessDeniedException")
        #expect(asDaemonError(TargetError.broken(target: "t", reason: "r"))?.code == "TargetBroken")
        #expect(asDaemonError(JournalError.closed(path: "j"))?.code == "Journal")
    }

    @Test("An error that nobody knows ends the process: no table may end without a word")
    func unknown() async {
        await #expect(processExitsWith: .failure) { _ = asDaemonError(Stranger()) }
    }

    @Test("Who may not enable a stream is told of the permission and of the other way, and exits 77")
    func mayNotEnableStream() {
        let error = DaemonError.mayNotEnableStream(table: Sample.table, .named("AccessDeniedException"))
        #expect(error.description.contains("allow them dynamodb:UpdateTable"))
        #expect(error.description.contains("aws dynamodb update-table --table-name orders --stream-specification"))
        #expect(error.exitCode == 77 && error.reach == .table)
    }

    @Test("Who waits for a full sync is told how to begin one, whatever the daemon's mode is")
    func needsFullSync() {
        let error = DaemonError.needsFullSync(table: Sample.table, reason: "it was emptied")
        #expect(
            error.description
                == "table orders needs a full sync: it was emptied. Stop the daemon and start it again with --mode all to "
                + "take it; the other tables are not concerned")
    }
}
