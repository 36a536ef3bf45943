/// Murmur2 with the seed of Kafka's Java client, so that a key lands where a Java producer puts it.
///
/// - Parameter bytes: may be nil where `count` is 0.
/// - Returns: the 32 bits; `partition(of:count:)` cuts the sign.
@inline(__always)
func murmur2(_ bytes: UnsafePointer<UInt8>?, count: Int) -> UInt32 {
    let multiplier: UInt32 = 0x5bd1_e995
    var hash = 0x9747_b28c ^ UInt32(truncatingIfNeeded: count)
    guard let bytes, count > 0 else { return finish(hash, multiplier) }
    let words = count & ~3
    var index = 0
    while index < words {
        var word = UInt32(littleEndian: UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt32.self))
        word = word &* multiplier
        word ^= word &>> 24
        word = word &* multiplier
        hash = (hash &* multiplier) ^ word
        index &+= 4
    }
    let tail = count & 3
    if tail > 0 {
        if tail == 3 { hash ^= UInt32(bytes[words &+ 2]) &<< 16 }
        if tail >= 2 { hash ^= UInt32(bytes[words &+ 1]) &<< 8 }
        hash ^= UInt32(bytes[words])
        hash = hash &* multiplier
    }
    return finish(hash, multiplier)
}

@inline(__always)
private func finish(_ hash: UInt32, _ multiplier: UInt32) -> UInt32 {
    var hash = hash
    hash ^= hash &>> 13
    hash = hash &* multiplier
    hash ^= hash &>> 15
    return hash
}

/// The partition of a hash, as Kafka's Java client counts it; 0 where the sink has no partitions.
@inline(__always)
func partition(of hash: UInt32, count: Int32) -> Int32 {
    // One partition is the usual case, and a division costs more than all the rest of a short key.
    count > 1 ? Int32(bitPattern: (hash & 0x7fff_ffff) % UInt32(bitPattern: count)) : 0
}
