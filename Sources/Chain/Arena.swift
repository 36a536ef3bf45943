import PluginABI

/// The batch's memory behind `cdcp_arena`: one block that is reused, and more blocks in a batch that needs them.
final class Arena {
    static let blockSize = 256 * 1024

    let pointer: UnsafeMutablePointer<cdcp_arena>
    private let first: UnsafeMutableRawPointer
    private var extra: [UnsafeMutableRawPointer] = []
    /// Bytes in blocks beyond the first: a batch is cut when they become many.
    private(set) var extraBytes = 0

    init() {
        first = .allocate(byteCount: Self.blockSize, alignment: 64)
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: cdcp_arena(cur: nil, end: nil, slow: Arena.slow, host: nil))
        pointer.pointee.host = Unmanaged.passUnretained(self).toOpaque()
        reset()
    }

    deinit {
        reset()
        first.deallocate()
        pointer.deallocate()
    }

    /// Forgets everything; the next batch begins.
    func reset() {
        for block in extra { block.deallocate() }
        extra.removeAll(keepingCapacity: true)
        extraBytes = 0
        pointer.pointee.cur = first.assumingMemoryBound(to: UInt8.self)
        pointer.pointee.end = pointer.pointee.cur + Self.blockSize
    }

    @inline(__always)
    func allocate(_ size: Int, align: Int) -> UnsafeMutableRawPointer? { cdcp_arena_alloc(pointer, UInt64(size), UInt32(align)) }

    private static let slow: @convention(c) (UnsafeMutablePointer<cdcp_arena>?, UInt64, UInt32) -> UnsafeMutableRawPointer? = { arena, size, align in
        guard let arena, let host = arena.pointee.host, size <= 1 << 40, align <= 4096 else { return nil }
        let owner = Unmanaged<Arena>.fromOpaque(host).takeUnretainedValue()
        let bytes = max(Int(size) + Int(align), Arena.blockSize)
        let block = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: max(Int(align), 16))
        owner.extra.append(block)
        owner.extraBytes += bytes
        arena.pointee.cur = block.assumingMemoryBound(to: UInt8.self) + Int(size)
        arena.pointee.end = block.assumingMemoryBound(to: UInt8.self) + bytes
        return block
    }
}
