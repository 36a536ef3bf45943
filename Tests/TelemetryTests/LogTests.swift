import Files
import Telemetry
import Testing

@Suite struct LogTests {
    let output = MemoryOutput()
    let clock = FixedClock()

    func log(_ level: LogLevel = .info, _ format: LogFormat = .text) -> Log {
        let clock = self.clock
        return Log(
            Log.Configuration(level: level, format: format, output: output), wallTime: { WallTime(microseconds: 1_764_083_045_123_999) },
            uptime: { clock.now })
    }

    @Test func textLineHasTimeLevelEventAndFields() {
        log().info(
            "streaming",
            ["slot": "cdc_shop", "lsn": .lsn(0x16B_2D50), "rows": 12, "ok": true, "part": .real(1.0 / 3), "pause": .duration(.microseconds(3250))])
        #expect(output.text == "2025-11-25T15:04:05.123Z info streaming slot=cdc_shop lsn=0/16B2D50 rows=12 ok=true part=0.3333 pause=3.2ms\n")
    }

    @Test func jsonLineHasTheSameKeys() {
        log(.info, .json).warning(
            "reload_refused", ["why": "bad \"x\"", "lsn": .lsn(1 << 32), "took": .duration(.milliseconds(1500)), "files": .list(["a", "b"])])
        #expect(
            output.text
                == #"{"time":"2025-11-25T15:04:05.123Z","level":"warning","event":"reload_refused","why":"bad \"x\"","lsn":"1/0","took":1.5,"files":["a","b"]}"#
                + "\n")
    }

    @Test(arguments: [
        ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""), ("say \"x\"", #""say \"x\"""#),
        ("back\\slash", #""back\\slash""#),
        ("one\ntwo", #""one\ntwo""#), ("cr\r\nlf", #""cr\r\nlf""#), ("tab\t", #""tab\t""#), ("\u{1B}[31mred", #""\u001b[31mred""#),
        ("nul\0", #""nul\u0000""#),
        ("\u{9B}31m", #""\u009b31m""#), ("\u{202E}evil", #""\u202eevil""#), ("line\u{2028}", #""line\u2028""#), ("größe", "größe"),
        ("e\u{301}\nx", "\"e\u{301}\\nx\""),
    ])
    func hostileTextCannotLeaveItsValue(_ value: String, _ expected: String) {
        log().info("x", ["k": .text(value)])
        #expect(output.text == "2025-11-25T15:04:05.123Z info x k=\(expected)\n")
    }

    @Test func longTextIsCutAtACharacter() {
        log().info("x", ["k": .text(String(repeating: "ä", count: 5000) + "x")])
        #expect(output.text.utf8.count < LogValue.textMax + 100)
        #expect(output.text.hasSuffix("ä…\n"))
    }

    @Test func levelsBelowTheThresholdAreNotMade() {
        let log = self.log(.warning)
        log.info("a")
        log.warning("b")
        log.reconfigure(Log.Configuration(level: .debug, format: .json, output: output))
        log.debug("c")
        #expect(output.text == "2025-11-25T15:04:05.123Z warning b\n" + #"{"time":"2025-11-25T15:04:05.123Z","level":"debug","event":"c"}"# + "\n")
    }

    @Test func frequentLinesAreLimitedPerEventAndStage() {
        let log = self.log()
        for _ in 0..<25 { log.limited(.info, "plugin", stage: "30-masking", ["n": 1]) }
        log.limited(.info, "plugin", stage: "40-json")
        #expect(output.text.split(separator: "\n").count == Log.limitBurst + 1)
        clock.advance(Log.limitInterval)
        log.limited(.info, "plugin", stage: "30-masking", ["n": 2])
        log.limited(.info, "plugin", stage: "30-masking", ["n": 3])
        let lines = output.text.split(separator: "\n")
        #expect(lines.count == Log.limitBurst + 2)
        #expect(lines.last?.hasSuffix("info plugin stage=30-masking n=2 suppressed=15") == true)
    }

    @Test func linesThatCannotBeWrittenAreCounted() {
        let log = self.log()
        output.fail(true)
        log.info("a")
        log.info("b")
        output.fail(false)
        log.info("c")
        #expect(log.lost == 2)
        #expect(output.text.hasSuffix("info c\n"))
    }

    @Test func aFileIsOpenedAnewAfterRotation() throws {
        let path = "/tmp/telemetry-log-\(UInt64.random(in: 0...UInt64.max))"
        defer {
            try? FileSystem.removeIfPresent(path)
            try? FileSystem.removeIfPresent(path + ".1")
        }
        let log = Log(Log.Configuration(level: .info, format: .text, output: try AppendFile(path)), wallTime: { WallTime(microseconds: 0) })
        log.info("before")
        try FileSystem.rename(path, to: path + ".1")
        log.info("between")
        try log.reopen()
        log.info("after")
        #expect(String(decoding: try FileSystem.read(path + ".1"), as: UTF8.self).split(separator: "\n").count == 2)
        #expect(String(decoding: try FileSystem.read(path), as: UTF8.self) == "1970-01-01T00:00:00.000Z info after\n")
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_827_696_789_000, "2000-02-29T12:34:56.789Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"), (1_735_689_599_999_999, "2024-12-31T23:59:59.999Z"),
    ])
    func calendarIsRight(_ microseconds: Int64, _ expected: String) {
        #expect(WallTime(microseconds: microseconds).iso8601 == expected)
    }

    @Test(arguments: [
        (Duration.zero, "0ms"), (.nanoseconds(5), "5ns"), (.microseconds(12), "12us"), (.milliseconds(250), "250ms"), (.seconds(10), "10s"),
        (.milliseconds(2540), "2.5s"),
        (.seconds(125), "2m5s"), (.seconds(7260), "2h1m"), (.milliseconds(-3), "-3ms"),
    ])
    func durationsReadWell(_ duration: Duration, _ expected: String) {
        #expect(duration.logText == expected)
    }
}
