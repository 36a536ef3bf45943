import MicroHTTPD

/// A running daemon of libmicrohttpd.
///
/// SAFETY: the pointer is used for stopping only, once, by whoever took the handle out of the server's lock.
struct DaemonHandle: @unchecked Sendable {
    private let daemon: OpaquePointer
    /// Kept for the daemon's callbacks, which know it by address only.
    private let routes: RouteTable

    /// Serves on a listening socket, which the daemon closes at its end.
    /// - Returns: nil when the library could not start; the socket is then still open.
    static func start(on descriptor: Int32, _ routes: RouteTable) -> DaemonHandle? {
        let flags = MHD_USE_AUTO.rawValue | MHD_USE_INTERNAL_POLLING_THREAD.rawValue | MHD_USE_ITC.rawValue
        var options = [
            MHD_OptionItem(option: .LISTEN_SOCKET, value: Int(descriptor), ptr_value: nil),
            MHD_OptionItem(option: .CONNECTION_LIMIT, value: AdminServer.connectionsMax, ptr_value: nil),
            MHD_OptionItem(option: .CONNECTION_TIMEOUT, value: AdminServer.idleSecondsMax, ptr_value: nil),
            MHD_OptionItem(option: .CONNECTION_MEMORY_LIMIT, value: AdminServer.requestBytesMax, ptr_value: nil),
            MHD_OptionItem(option: .END, value: 0, ptr_value: nil),
        ]
        let context = Unmanaged.passUnretained(routes).toOpaque()
        let daemon = options.withUnsafeMutableBufferPointer { items -> OpaquePointer? in
            guard let base = items.baseAddress else { return nil }
            let arguments: [any CVarArg] = [MHD_OPTION.ARRAY.rawValue, base, MHD_OPTION.END.rawValue]
            return withVaList(arguments) { MHD_start_daemon_va(UInt32(flags), 0, nil, nil, serveRequest, context, $0) }
        }
        return daemon.map { DaemonHandle(daemon: $0, routes: routes) }
    }

    func stop() {
        MHD_stop_daemon(daemon)
        withExtendedLifetime(routes) {}
    }
}

/// Called by the library's thread for each request: first with the headers, then until the request is complete.
private func serveRequest(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?, _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?, _ uploadSize: UnsafeMutablePointer<Int>?,
    _ request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let url, let method, let request, let uploadSize else { return .NO }
    let methodText = String(cString: method)
    let reads = methodText == "GET" || methodText == "HEAD"
    // An answer to the bare headers closes the connection: right for what is refused, a waste for what is served.
    if reads && request.pointee == nil {
        request.pointee = context
        return .YES
    }
    if reads && uploadSize.pointee != 0 {
        uploadSize.pointee = 0
        return .YES
    }
    let routes = Unmanaged<RouteTable>.fromOpaque(context).takeUnretainedValue()
    return send(routes.answer(method: methodText, path: String(cString: url)), on: connection)
}

private func send(_ answer: AdminResponse, on connection: OpaquePointer) -> MHD_Result {
    var body = Array(answer.body.utf8)
    let response = body.withUnsafeMutableBytes { MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY) }
    guard let response else { return .NO }
    defer { MHD_destroy_response(response) }
    MHD_add_response_header(response, "Content-Type", answer.contentType)
    MHD_add_response_header(response, "Cache-Control", "no-store")
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff")
    if answer.status == 405 { MHD_add_response_header(response, "Allow", "GET, HEAD") }
    return MHD_queue_response(connection, UInt32(clamping: answer.status), response)
}
