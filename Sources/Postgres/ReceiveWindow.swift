internal import Glibc

extension Connection {
    /// Makes the receive buffer small on a near TCP link, so that its window closes while the reader sleeps and the server's kernel gathers rows.
    /// A distant link is left alone: there a small window would bound the rate by window over round trip. So is a Unix socket, which has no window.
    func closeReceiveWindow() {
        guard isTCP, let roundTrip = roundTripMicroseconds, roundTrip < 2_000 else { return }
        // Below 16 KB the window is smaller than loopback's segment, and the link stalls.
        var size: Int32 = 65_536
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    /// The smoothed round trip of the link by TCP_INFO; nil where the kernel does not say.
    private var roundTripMicroseconds: UInt32? {
        let tcpInfo: Int32 = 11
        let offsetOfRoundTrip = 68  // tcpi_rtt: eight bytes of flags, then the sixteenth word
        return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { buffer in
            var length = socklen_t(buffer.count)
            guard getsockopt(socket, Int32(IPPROTO_TCP), tcpInfo, buffer.baseAddress, &length) == 0, length >= 72 else { return nil }
            return buffer.loadUnaligned(fromByteOffset: offsetOfRoundTrip, as: UInt32.self)
        }
    }
}
