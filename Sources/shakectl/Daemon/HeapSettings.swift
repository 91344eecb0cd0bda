internal import CMalloc

/// How glibc keeps memory that was freed, for a process that lives for months.
enum HeapSettings {
    /// A page's body is up to some megabytes and lives for milliseconds. Left to itself, glibc raises its threshold with the
    /// first of them and keeps all later ones on the heap, where small blocks among them hold the whole of it in memory; and
    /// each thread gets an arena of its own. Blocks of this size and more go back to the system when they are freed.
    static func apply() {
        mallopt(M_MMAP_THRESHOLD, 256 << 10)
        // Said for itself, since the setting above ends glibc's own adjusting: a heap that is cut after each page's places
        // of records (100 KiB) takes the same memory back as page faults for the next.
        mallopt(M_TRIM_THRESHOLD, 2 << 20)
        mallopt(M_ARENA_MAX, 2)
    }

    /// Gives back what thousands of shards needed when they were taken up, all at once: it lies between what they still need, and
    /// glibc by itself gives back only the end of its heap.
    static func trim() { malloc_trim(0) }
}
