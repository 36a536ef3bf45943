public import Files

/// Where log lines go. From any thread; one call writes one whole line.
public protocol LogOutput: Sendable {
    /// Writes bytes that end with a line feed.
    func write(_ line: [UInt8]) throws(FileError)
    /// Opens the file anew after it was moved away (USR1); nothing for outputs that are no files.
    func reopen() throws(FileError)
}

/// A log file.
extension AppendFile: LogOutput {}
