/// Text that must not be seen: whatever prints or logs it shows `redacted`.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself, for the one call that needs it.
    public let exposed: String
    /// What may be shown in its place.
    public let redacted: String

    /// What stands for a secret.
    public static let mask = "***"

    /// A secret; without `redacted` nothing of it is shown.
    public init(_ exposed: String, redacted: String = Secret.mask) {
        self.exposed = exposed
        self.redacted = redacted
    }

    /// The redacted form.
    public var description: String { redacted }
    /// The redacted form.
    public var debugDescription: String { redacted }
    /// Shows nothing to `dump`.
    public var customMirror: Mirror { Mirror(self, children: ["redacted": redacted]) }
}
