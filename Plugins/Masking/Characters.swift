/// Steps over text one character (Unicode scalar) at a time, and trusts no byte of it.
enum Characters {
    /// Bytes of the character at `text`, of which `left` bytes are there; 0: not UTF-8.
    @inline(__always)
    static func length(_ text: UnsafePointer<UInt8>, _ left: Int) -> Int {
        let lead = text[0]
        if lead < 0x80 { return 1 }
        let count = lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 0
        guard count <= left else { return 0 }
        var index = 1
        while index < count {
            if text[index] & 0xC0 != 0x80 { return 0 }
            index &+= 1
        }
        return count
    }

    /// Whether every character is one byte.
    @inline(__always)
    static func isASCII(_ text: UnsafePointer<UInt8>, _ size: Int) -> Bool {
        let raw = UnsafeRawPointer(text)
        var bits: UInt64 = 0
        var at = 0
        if size >= 8 {
            while at &+ 8 <= size {
                bits |= raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                at &+= 8
            }
            // The last eight, some of them again.
            bits |= raw.loadUnaligned(fromByteOffset: size &- 8, as: UInt64.self)
        } else {
            while at < size {
                bits |= UInt64(text[at])
                at &+= 1
            }
        }
        return bits & 0x8080_8080_8080_8080 == 0
    }

    /// How many characters the text has; -1: not UTF-8.
    static func count(_ text: UnsafePointer<UInt8>, _ size: Int) -> Int {
        var at = 0
        var characters = 0
        while at < size {
            // Eight ASCII characters at once.
            if size &- at >= 8, UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
                at &+= 8
                characters &+= 8
                continue
            }
            let step = length(text + at, size &- at)
            if step == 0 { return -1 }
            at &+= step
            characters &+= 1
        }
        return characters
    }

    /// Offset behind the first `n` characters, or the size where there are no more; -1: not UTF-8 up to there.
    @inline(__always)
    static func offset(_ text: UnsafePointer<UInt8>, _ size: Int, _ n: Int) -> Int {
        var at = 0
        var left = n
        while at < size, left > 0 {
            if left >= 8, size &- at >= 8, UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
                at &+= 8
                left &-= 8
                continue
            }
            let step = length(text + at, size &- at)
            if step == 0 { return -1 }
            at &+= step
            left &-= 1
        }
        return at
    }
}
