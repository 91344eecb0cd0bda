import Dispatcher
import StreamModel
import Testing

@Suite("Patterns for names of tables")
struct GlobTests {
    @Test(
        "A star stands for any characters, a question mark for one",
        arguments: [
            ("*", "orders", true), ("*", "", true), ("orders", "orders", true), ("orders", "orders2", false),
            ("ord*", "orders", true), ("*ers", "orders", true), ("*ers", "ersatz", false), ("o*e*s", "orders", true),
            ("o?ders", "orders", true), ("?orders", "orders", false), ("*-tmp", "a-tmp-tmp", true),
            ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false), ("", "a", false), ("", "", true), ("**", "a", true),
            ("Orders", "orders", false), ("a.c", "abc", false),
        ])
    func matches(pattern: String, name: String, isMatch: Bool) {
        #expect(Glob(pattern).matches(name) == isMatch)
    }

    @Test("What is excluded is left out, whatever includes it")
    func selection() {
        let globs = TableGlobs(include: [Glob("shop-*"), Glob("users")], exclude: [Glob("*-tmp")])
        #expect(globs.selects(TableName("shop-orders")) && globs.selects(TableName("users")))
        #expect(!globs.selects(TableName("shop-tmp")) && !globs.selects(TableName("other")))
    }
}
