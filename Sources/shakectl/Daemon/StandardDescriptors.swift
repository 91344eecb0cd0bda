internal import Glibc

/// Descriptors 0, 1 and 2, which belong to input, output and messages whether whoever started the program gave them or not.
enum StandardDescriptors {
    /// Takes those that are closed, so that no file which is opened later gets their numbers: what is printed would go
    /// into it. Reading finds nothing, and writing fails, as it should where nobody can see it.
    static func reserve() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The lowest free number is this one: the ones below are taken by now.
            _ = unsafe open("/dev/null", O_RDONLY)
        }
    }
}
