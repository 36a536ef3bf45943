/// Why the demo cannot go on: one sentence for people, never a value of a row or a password.
struct ShopError: Error {
    var message: String
    init(_ message: String) { self.message = message }
}

/// Somebody pressed Ctrl-C before the shop had opened.
struct Interrupted: Error {}
