internal import CMongoC

/// libmongoc, made ready once a process.
///
/// It is never cleaned up: "Call this function once at the end of your program" would take it from others that use it still, and the
/// process's end takes its memory with it.
enum MongoLibrary {
    /// Whatever is made of libmongoc looks at this first.
    static let isReady: Bool = {
        mongoc_init()
        // What goes wrong comes back as an error; its log is for C's standard error, and may name what nobody should read.
        mongoc_log_set_handler(nil, nil)
        return true
    }()
}
