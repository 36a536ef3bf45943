import Glibc
import PluginABI

/// Memory of one batch: every piece between guards, all of it overwritten by `poison`.
final class GuardedMemory {
    private static let guardSize = 32
    private var pieces: [(start: UnsafeMutableRawPointer, size: Int, copy: [UInt8]?)] = []

    deinit { for piece in pieces { (piece.start - Self.guardSize).deallocate() } }

    /// `size` bytes between guards, filled with 0xCD.
    func piece(_ size: Int) -> UnsafeMutableRawPointer {
        let whole = UnsafeMutableRawPointer.allocate(byteCount: size + 2 * Self.guardSize, alignment: 16)
        memset(whole, 0xA5, size + 2 * Self.guardSize)
        let start = whole + Self.guardSize
        memset(start, 0xCD, size)
        pieces.append((start, size, nil))
        return start
    }

    /// A copy of `bytes` that nobody may write to.
    func input(_ bytes: [UInt8]) -> UnsafePointer<UInt8> {
        let start = piece(bytes.count)
        start.copyMemory(from: bytes, byteCount: bytes.count)
        pieces[pieces.count - 1].copy = bytes
        return UnsafePointer(start.assumingMemoryBound(to: UInt8.self))
    }

    /// What was written that must not be.
    func damage() -> [String] {
        var lines: [String] = []
        for piece in pieces {
            let whole = UnsafeRawBufferPointer(start: piece.start - Self.guardSize, count: piece.size + 2 * Self.guardSize)
            if whole.prefix(Self.guardSize).contains(where: { $0 != 0xA5 }) { lines.append("written before the start of \(piece.size) bytes") }
            if whole.suffix(Self.guardSize).contains(where: { $0 != 0xA5 }) { lines.append("written behind the end of \(piece.size) bytes") }
            if let copy = piece.copy, !whole.dropFirst(Self.guardSize).prefix(piece.size).elementsEqual(copy) {
                lines.append("the input was written to")
            }
        }
        return lines
    }

    /// Overwrites everything: who kept a pointer reads rubbish from now on.
    func poison() { for piece in pieces { memset(piece.start, 0xDD, piece.size) } }

    /// Does this piece of memory belong to the batch?
    func contains(_ start: UnsafeRawPointer, _ length: Int) -> Bool {
        pieces.contains { UnsafeRawPointer($0.start) <= start && length <= $0.size && start <= UnsafeRawPointer($0.start) + ($0.size - length) }
    }
}
