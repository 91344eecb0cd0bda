import AllTargets
import Foundation
import Targets
import Testing

@Suite("A target's URL")
struct TargetURLTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func refusal(of url: String) -> String? {
        do {
            _ = try TargetSchemes.all.make(url)
            return nil
        } catch {
            guard case .misconfigured = error else { return nil }
            return error.description
        }
    }

    @Test("names its target as an operator may read it, and makes nothing yet")
    func names() throws {
        let path = scratch.file("a.db")
        #expect(try TargetSchemes.all.make("sqlite:\(path)").name == "sqlite:\(path)")
        #expect(try TargetSchemes.all.make("sqlite://\(path)").name == "sqlite:\(path)")
        #expect(try TargetSchemes.all.make("SQLite:\(path)").name == "sqlite:\(path)")
        #expect(try TargetSchemes.all.make("jsonl:\(path)").name == "jsonl:\(path)")
        #expect(try TargetSchemes.all.make("jsonl:-").name == "jsonl:-")
        #expect(try TargetSchemes.all.make("null:").name == "null:")
        #expect(try scratch.names() == [])
    }

    @Test("may hold a relative path, which is resolved at once")
    func relative() throws {
        let name = try TargetSchemes.all.make("jsonl:changes.jsonl").name
        #expect(name.hasPrefix("jsonl:/") && name.hasSuffix("/changes.jsonl"))
    }

    @Test("says whether the target stores positions")
    func positions() throws {
        #expect(try TargetSchemes.all.make("sqlite:\(scratch.file("a"))").storesPositions)
        #expect(try !TargetSchemes.all.make("jsonl:\(scratch.file("a"))").storesPositions)
        #expect(try !TargetSchemes.all.make("null:").storesPositions)
    }

    @Test(
        "with an unknown scheme is refused with the nearest known one",
        arguments: [
            ("sqllite:a", "did you mean sqlite:?"), ("sqlite3:a", "did you mean sqlite:?"),
            ("json:a", "did you mean jsonl:?"),
            ("nul:", "did you mean null:?"), ("a.jsonl", "did you mean jsonl:a.jsonl?"),
            ("a.db", "did you mean sqlite:a.db?"),
            ("sqlite", "a colon and a place are missing"), ("", "write a scheme"),
        ])
    func unknown(url: String, hint: String) throws {
        let text = try #require(refusal(of: url))
        #expect(text.contains(hint) && text.contains("Known: sqlite:PATH, jsonl:PATH"))
    }

    @Test("with an unknown scheme is never repeated in full, since it may hold a password")
    func secret() throws {
        let text = try #require(refusal(of: "oracle://ann:secret@host/base"))
        #expect(!text.contains("secret"))
    }

    @Test(
        "with an option that its target has not, or a value that it does not take, is refused with those that it has",
        arguments: [
            (["exsiting"], "a", "unknown to the target sqlite: did you mean 'existing'?"),
            (["schema", "orders"], "a", "unknown to the target sqlite"),
        ])
    func options(path: [String], value: String, hint: String) throws {
        let options = TargetOptions([.init(path: path, value: value)])
        let error = #expect(throws: TargetError.self) {
            try TargetSchemes.all.make("sqlite:a", options: options)
        }
        #expect(error?.description.contains(hint) == true)
    }

    @Test("takes options by their names, depths and choices, each once")
    func takenOptions() throws {
        enum Colour: String, CaseIterable { case red, green, blue }
        let (tables, colour, loud) = (
            TargetOption("tables", keysAndValues: "names of tables"), TargetOption("colour", Colour.self),
            TargetOption.onOrOff("loud")
        )
        let schemes = TargetSchemes([
            TargetScheme("box", form: "box:", options: [tables, colour, loud]) { request in
                #expect(request.options.values(tables) == ["shop.orders": "orders", "users": "people"])
                #expect(request.options.choice(colour) == Colour.blue)
                #expect(request.options.isOn(loud) == true)
                return NullTarget()
            }
        ])
        func make(_ entries: (path: [String], value: String)...) throws -> any Target {
            try schemes.make("box:", options: TargetOptions(entries.map { .init(path: $0.path, value: $0.value) }))
        }
        _ = try make(
            (["tables", "shop.orders"], "orders"), (["tables", "users"], "people"), (["colour"], "blue"),
            (["loud"], "true"))
        for (entries, hint) in [
            ([(["colour"], "pink")], "'colour' expects red, green or blue"),
            ([(["colour", "red"], "red")], "'colour.red' expects red, green or blue"),
            ([(["tables"], "orders")], "'tables' expects names of tables"),
            ([(["loud"], "yes")], "'loud' expects true or false"),
            ([(["loud"], "true"), (["loud"], "true")], "'loud' is said twice"),
        ] {
            let options = TargetOptions(entries.map { .init(path: $0.0, value: $0.1) })
            let error = #expect(throws: TargetError.self) { try schemes.make("box:", options: options) }
            #expect(error?.description.contains(hint) == true, "\(error.map(String.init(describing:)) ?? "")")
        }
    }

    @Test("of a target that this build was made without says what brings it")
    func leftOut() throws {
        let schemes = TargetSchemes(TargetSchemes.embedded, leftOut: ["box": "Boxes"])
        let error = #expect(throws: TargetError.self) { try schemes.make("box://secret@a") }
        #expect(
            error?.description
                == "target box: this shakectl was built without it: build it with the package trait Boxes, which is on by default")
    }

    @Test("with a path that can't be is refused with the reason", arguments: ["sqlite", "jsonl"])
    func paths(scheme: String) throws {
        try FileManager.default.createDirectory(atPath: scratch.file("folder"), withIntermediateDirectories: false)
        try scratch.write([], to: "file")
        for (path, reason) in [
            ("", "the path is missing"),
            (scratch.file("folder"), "is a folder"),
            (scratch.file("folder/"), "is a folder"),
            (scratch.file("missing/a"), "the folder \(scratch.file("missing")) can't be reached"),
            (scratch.file("file/a"), "can't be reached"),
            ("~/a", "write $HOME"),
            ("//host/a", "there is no host"),
            ("/dev/null", "neither a file nor absent"),
            ("a\0b", "zero byte"),
        ] {
            let text = try #require(refusal(of: "\(scheme):\(path)"), "\(path) was taken")
            #expect(text.contains(reason), "\(text)")
        }
        #expect(refusal(of: "null:a")?.contains("takes no path") == true)
    }

    @Test("sqlite::memory: names a file, for what is in memory only can't be durable")
    func memory() throws { #expect(try TargetSchemes.all.make("sqlite::memory:").name.hasSuffix("/:memory:")) }
}
