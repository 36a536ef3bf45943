public import Files
import Synchronization

/// One line at the foot of a terminal that is drawn again and again, while log lines pass above it.
///
/// It stands between the log and standard error: as the log's output it takes the line away, writes, and draws it again. Where standard
/// error is no terminal, `show` does nothing and lines pass unchanged. Any thread.
public final class TerminalLine: LogOutput {
    private static let eraseLine = "\r\u{1B}[K"

    private let output: any LogOutput
    private let columns: @Sendable () -> Int
    /// Is there a terminal to draw on?
    public let isTerminal: Bool
    private let shown = Mutex("")

    /// - Parameters:
    ///   - output: standard error.
    ///   - isTerminal: whether standard error is one.
    ///   - columns: the terminal's width now; asked each time the line is drawn.
    public init(over output: any LogOutput, isTerminal: Bool, columns: @escaping @Sendable () -> Int) {
        self.output = output
        self.isTerminal = isTerminal
        self.columns = columns
    }

    /// Draws `text` in place of the last one, cut to the terminal's width. A terminal that cannot be written is no reason to stop.
    public func show(_ text: String) {
        guard isTerminal else { return }
        shown.withLock { shown in
            shown = Self.printable(text)
            draw(shown)
        }
    }

    /// Takes the line away.
    public func clear() {
        guard isTerminal else { return }
        shown.withLock { shown in
            guard !shown.isEmpty else { return }
            shown = ""
            draw(shown)
        }
    }

    /// Writes a log line above.
    public func write(_ line: [UInt8]) throws(FileError) {
        guard isTerminal else { return try output.write(line) }
        // One write for both, so that nothing comes between.
        try shown.withLock { (shown: inout String) throws(FileError) in
            guard !shown.isEmpty else { return try output.write(line) }
            try output.write(Array(Self.eraseLine.utf8) + line + Array(fitted(shown).utf8))
        }
    }

    /// Passed on to the output below.
    public func reopen() throws(FileError) { try output.reopen() }

    private func draw(_ text: String) {
        do throws(FileError) { try output.write(Array((Self.eraseLine + fitted(text)).utf8)) } catch {}
    }

    /// One column stays free: some terminals wrap when the last one is written.
    private func fitted(_ text: String) -> String { String(text.prefix(max(0, columns() - 1))) }

    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { !LogText.mustEscape($0) }))
    }
}
