import Foundation

/// Runs a Python script that imports botocore, the implementation that we are compared with.
///
/// Python is `SHAKE_PYTHON`, else the checkout's `.venv` (tools/setup makes it), else `python3`.
enum Botocore {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter input: given to the script as JSON on standard input.
    /// - Returns: what the script printed as JSON.
    /// - Throws: `Missing` where there is no Python with botocore; never a reason to skip the test.
    static func run<Input: Encodable, Output: Decodable>(_ script: String, _ input: Input) throws -> Output {
        let process = Process()
        let (standardInput, standardOutput, standardError) = (Pipe(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, "-c", script]
        process.standardInput = standardInput
        process.standardOutput = standardOutput
        process.standardError = standardError
        try process.run()
        let bytes = try JSONEncoder().encode(input)
        DispatchQueue.global().async {
            try? standardInput.fileHandleForWriting.write(contentsOf: bytes)
            try? standardInput.fileHandleForWriting.close()
        }
        let output = standardOutput.fileHandleForReading.readDataToEndOfFile()
        let trouble = String(decoding: standardError.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Missing(
                description: """
                    \(python) could not run a script with botocore: run tools/setup, or point SHAKE_PYTHON to a Python that \
                    has it. It said: \(trouble)
                    """)
        }
        return try JSONDecoder().decode(Output.self, from: output)
    }

    private static var python: String {
        if let given = ProcessInfo.processInfo.environment["SHAKE_PYTHON"], !given.isEmpty { return given }
        // Tests/DynamoDBTests/Support/Botocore.swift: the checkout is four levels up.
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let own = root.appendingPathComponent(".venv/bin/python").path
        return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
    }
}
