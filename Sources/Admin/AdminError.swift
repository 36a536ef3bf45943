import Glibc

/// What went wrong at the admin endpoint or on the way to it.
public struct AdminError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The classes of failure.
    public enum Kind: Sendable, Equatable {
        /// The text is no address.
        case address
        /// The host's name is not known.
        case resolve
        /// Another process listens there.
        case taken
        /// A system call failed for another reason.
        case system
        /// libmicrohttpd did not start.
        case daemon
        /// The other side did not answer in time.
        case timeout
        /// The answer is no HTTP, too large or cut short.
        case answer
    }

    /// The class of failure.
    public let kind: Kind
    /// `errno` where a system call failed, else 0.
    public let code: Int32
    /// Where it happened.
    public let address: String
    /// What happened and what helps.
    public let message: String

    init(_ kind: Kind, at address: String, _ message: String, code: Int32 = 0) {
        self.kind = kind
        self.code = code
        self.address = address
        self.message = message
    }

    /// A failed system call, by its errno.
    static func system(_ operation: String, at address: AdminAddress, code: Int32) -> AdminError {
        let reason = String(cString: strerror(code))
        let cure: String
        switch code {
        case EADDRINUSE: cure = "; another process listens there: stop it or set admin.listen to another port (port 0 picks a free one)"
        case EADDRNOTAVAIL: cure = "; no interface of this machine has that address"
        case EACCES, EPERM: cure = "; ports below 1024 and other users' directories need rights that this process has not"
        case ECONNREFUSED, ENOENT: cure = "; nothing listens there"
        default: cure = ""
        }
        let kind: Kind = code == EADDRINUSE ? .taken : .system
        return AdminError(kind, at: address.description, "\(operation): \(reason) (errno \(code))\(cure)", code: code)
    }

    /// One line.
    public var description: String { "admin endpoint \(address): \(message)" }
}
