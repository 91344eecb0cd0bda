import Glibc

/// Makes this process's disk look full: a write beyond the limit fails, in part first. For exit tests only.
enum FileSizeLimit {
    static func set(_ bytes: UInt) {
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        limit.rlim_cur = min(bytes, limit.rlim_max)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    }

    static func lift() { set(.max) }
}
