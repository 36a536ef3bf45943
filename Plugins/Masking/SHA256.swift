/// SHA-256 (FIPS 180-4), with the salt's whole blocks taken in once. Its memory lives as long as the instance; calls must not overlap.
struct SHA256 {
    private typealias State = (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)

    private static let initial: State =
        (0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19)

    // One block of memory: 64 constants, 64 words of schedule, 128 bytes for what is left at the end, and the salt's rest.
    private let constants: UnsafeMutablePointer<UInt32>
    private let schedule: UnsafeMutablePointer<UInt32>
    private let tail: UnsafeMutablePointer<UInt8>
    private var salted: State
    private let saltBlocks: Int
    private let saltRest: Int
    private let salt: UnsafeMutablePointer<UInt8>

    init(salt text: [UInt8]) {
        constants = .allocate(capacity: 128)
        schedule = constants + 64
        tail = .allocate(capacity: 192)
        salt = tail + 128
        for (index, constant) in roundConstants.enumerated() { constants[index] = constant }
        schedule.initialize(repeating: 0, count: 64)
        tail.initialize(repeating: 0, count: 192)
        saltBlocks = text.count / 64
        saltRest = text.count % 64
        for index in 0..<saltRest { salt[index] = text[saltBlocks * 64 + index] }
        salted = Self.initial
        let (constants, schedule, blocks) = (constants, schedule, saltBlocks)
        text.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            for block in 0..<blocks { Self.compress(&salted, start + block * 64, constants, schedule) }
        }
    }

    func deallocate() {
        constants.deallocate()
        tail.deallocate()
    }

    /// Writes 64 hex digits of SHA-256(salt ‖ value) at `out`.
    @inline(__always)
    func hex(_ value: UnsafePointer<UInt8>, _ count: Int, _ out: UnsafeMutablePointer<UInt8>) {
        var state = salted
        var left = count
        var from = value
        var filled = saltRest
        if filled > 0 {
            tail.update(from: salt, count: filled)
            if filled &+ left >= 64 {
                let missing = 64 &- filled
                (tail + filled).update(from: from, count: missing)
                Self.compress(&state, tail, constants, schedule)
                from += missing
                left &-= missing
                filled = 0
            }
        }
        if filled == 0 {
            while left >= 64 {
                Self.compress(&state, from, constants, schedule)
                from += 64
                left &-= 64
            }
        }
        (tail + filled).update(from: from, count: left)
        filled &+= left
        tail[filled] = 0x80
        let end = filled < 56 ? 64 : 128
        (tail + (filled &+ 1)).update(repeating: 0, count: end &- filled &- 9)
        let bits = UInt64(saltBlocks &* 64 &+ saltRest &+ count) &* 8
        UnsafeMutableRawPointer(tail + (end &- 8)).storeBytes(of: bits.bigEndian, as: UInt64.self)
        Self.compress(&state, tail, constants, schedule)
        if end == 128 { Self.compress(&state, tail + 64, constants, schedule) }
        Self.digits(state.0, out)
        Self.digits(state.1, out + 8)
        Self.digits(state.2, out + 16)
        Self.digits(state.3, out + 24)
        Self.digits(state.4, out + 32)
        Self.digits(state.5, out + 40)
        Self.digits(state.6, out + 48)
        Self.digits(state.7, out + 56)
    }

    /// Eight lower-case hex digits of a word, all at once.
    @inline(__always)
    private static func digits(_ word: UInt32, _ out: UnsafeMutablePointer<UInt8>) {
        // One nibble a byte, the highest first in memory.
        var nibbles = UInt64(word)
        nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff
        nibbles = ((nibbles << 8) | nibbles) & 0x00ff_00ff_00ff_00ff
        nibbles = ((nibbles << 4) | nibbles) & 0x0f0f_0f0f_0f0f_0f0f
        nibbles = nibbles.byteSwapped
        // '0' + n, and 'a' - '0' - 10 more where n > 9.
        let letters = ((nibbles &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        UnsafeMutableRawPointer(out).storeBytes(of: nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39, as: UInt64.self)
    }

    private static func compress(
        _ state: inout State, _ block: UnsafePointer<UInt8>, _ constants: UnsafeMutablePointer<UInt32>, _ w: UnsafeMutablePointer<UInt32>
    ) {
        let words = UnsafeRawPointer(block)
        var t = 0
        while t < 16 {
            w[t] = words.loadUnaligned(fromByteOffset: t &* 4, as: UInt32.self).bigEndian
            t &+= 1
        }
        while t < 64 {
            let a = w[t &- 15]
            let b = w[t &- 2]
            let s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)
            let s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10)
            w[t] = w[t &- 16] &+ s0 &+ w[t &- 7] &+ s1
            t &+= 1
        }
        var (a, b, c, d, e, f, g, h) = state
        t = 0
        // Eight rounds bring the names back to where they were: no value is moved.
        while t < 64 {
            round(a, b, c, &d, e, f, g, &h, constants[t] &+ w[t])
            round(h, a, b, &c, d, e, f, &g, constants[t &+ 1] &+ w[t &+ 1])
            round(g, h, a, &b, c, d, e, &f, constants[t &+ 2] &+ w[t &+ 2])
            round(f, g, h, &a, b, c, d, &e, constants[t &+ 3] &+ w[t &+ 3])
            round(e, f, g, &h, a, b, c, &d, constants[t &+ 4] &+ w[t &+ 4])
            round(d, e, f, &g, h, a, b, &c, constants[t &+ 5] &+ w[t &+ 5])
            round(c, d, e, &f, g, h, a, &b, constants[t &+ 6] &+ w[t &+ 6])
            round(b, c, d, &e, f, g, h, &a, constants[t &+ 7] &+ w[t &+ 7])
            t &+= 8
        }
        state = (
            state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d, state.4 &+ e, state.5 &+ f, state.6 &+ g, state.7 &+ h
        )
    }

    @inline(__always)
    private static func round(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32, _ h: inout UInt32, _ word: UInt32
    ) {
        let t1 = h &+ (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) &+ (g ^ (e & (f ^ g))) &+ word
        d = d &+ t1
        h = t1 &+ (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ ((a & b) | (c & (a | b)))
    }

    @inline(__always)
    private static func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x &>> n | x &<< (32 &- n) }
}

private let roundConstants: [UInt32] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
]
