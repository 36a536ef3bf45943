import Telemetry
import Testing

@Suite struct TerminalLineTests {
    let output = MemoryOutput()

    @Test func logLinesPassAboveTheLine() throws {
        let line = TerminalLine(over: output, isTerminal: true, columns: { 80 })
        line.show("10 %")
        try line.write(Array("event\n".utf8))
        line.show("20 %")
        line.clear()
        try line.write(Array("bye\n".utf8))
        let erase = "\r\u{1B}[K"
        #expect(output.text == "\(erase)10 %\(erase)event\n10 %\(erase)20 %\(erase)bye\n")
    }

    @Test func theLineFitsAndHoldsNoControlCharacters() {
        let line = TerminalLine(over: output, isTerminal: true, columns: { 6 })
        line.show("ab\u{1B}c\ndefgh")
        #expect(output.text == "\r\u{1B}[Kabcde")
    }

    @Test func withoutATerminalOnlyLogLinesAreWritten() throws {
        let line = TerminalLine(over: output, isTerminal: false, columns: { 80 })
        line.show("10 %")
        try line.write(Array("event\n".utf8))
        line.clear()
        #expect(output.text == "event\n")
    }
}
