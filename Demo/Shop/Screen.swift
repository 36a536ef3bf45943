import Glibc

/// How a piece of a line looks on a terminal that shows colours.
enum Style: String {
    case plain = ""
    case dim = "2"
    case bold = "1"
    case good = "32"
    case changed = "36"
    case gone = "31"
    case masked = "33"
}

/// A piece of a line.
struct Piece {
    var text: String
    var style: Style
    init(_ text: String, _ style: Style = .plain) {
        self.text = text
        self.style = style
    }
}

/// Standard output: lines that scroll, and on a terminal one line below them that is drawn anew. Main thread only.
final class Screen {
    /// Columns of the terminal; 160 where there is none.
    private(set) var width = 160
    let isTerminal = isatty(STDOUT_FILENO) == 1
    /// Nobody reads any more: the terminal or the other end of the pipe is closed.
    private(set) var isGone = false
    private let colour: Bool
    private var bottom: [Piece] = []
    private var bottomShown = -Double.infinity
    /// How often the bottom line comes as a line of its own where nothing can be drawn anew.
    private static let bottomEverySeconds = 5.0

    init(environment: [String: String]) {
        colour = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        measure()
    }

    /// Prints one line above the bottom line; a row of a table is cut to the terminal's width, a sentence is not.
    func line(_ pieces: [Piece], cut: Bool = false) {
        measure()
        write((isTerminal && !bottom.isEmpty ? "\r\u{1b}[K" : "") + rendered(pieces, columns: cut ? width : .max) + "\n")
        if isTerminal && !bottom.isEmpty { write(rendered(bottom, columns: width)) }
    }

    func line(_ text: String = "", _ style: Style = .plain) { line([Piece(text, style)]) }

    /// Draws the bottom line anew.
    func bottom(_ pieces: [Piece]) {
        if isTerminal {
            measure()
            bottom = pieces
            write("\r\u{1b}[K" + rendered(pieces, columns: width))
        } else if Moment.now - bottomShown >= Self.bottomEverySeconds {
            bottomShown = Moment.now
            write(rendered(pieces, columns: width) + "\n")
        }
    }

    /// Takes the bottom line away.
    func endBottom() {
        if isTerminal && !bottom.isEmpty { write("\r\u{1b}[K") }
        bottom = []
    }

    /// A line for standard error; uncut, since it matters whole.
    func complain(_ text: String) {
        if isTerminal && !bottom.isEmpty { write("\r\u{1b}[K") }
        write("shop-demo: \(text)\n", to: STDERR_FILENO)
    }

    private func rendered(_ pieces: [Piece], columns: Int) -> String {
        var left = columns
        var line = ""
        for piece in pieces where left > 0 {
            var text = piece.text
            if text.count > left {
                text = text.prefix(left - 1) + "…"
                left = 0
            } else {
                left -= text.count
            }
            line += colour && piece.style != .plain ? "\u{1b}[\(piece.style.rawValue)m\(text)\u{1b}[0m" : text
        }
        return line
    }

    private func measure() {
        var size = winsize()
        guard isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 else { return }
        width = Int(size.ws_col)
    }

    private func write(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                if descriptor == STDOUT_FILENO { isGone = true }
                return
            }
            bytes = bytes.dropFirst(count)
        }
    }
}

extension String {
    /// Exactly `width` columns: filled with blanks, or cut.
    func padded(to width: Int) -> String {
        count > width ? prefix(max(0, width - 1)) + "…" : self + String(repeating: " ", count: width - count)
    }
}
