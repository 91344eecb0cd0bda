internal import CLMDB

/// A named database within an environment. Opened once, good until the environment closes.
package struct Table: Hashable, Sendable {
    let handle: UInt32
}
