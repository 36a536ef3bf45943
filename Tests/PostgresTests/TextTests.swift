import Testing

@testable import Postgres

@Suite struct LSNTests {
    @Test(arguments: [("0/0", 0 as UInt64), ("16/B374D848", 0x16_B374_D848), ("FFFFFFFF/FFFFFFFF", .max), ("0/1", 1)])
    func readsAndWritesTheServersText(text: String, value: UInt64) {
        #expect(LSN(text)?.rawValue == value)
        #expect(LSN(rawValue: value).description == text)
    }

    @Test(arguments: ["", "/", "0", "0/", "/0", "0/0/0", "G/0", "-1/0", "+1/0", "123456789/0", " 0/0", "0x1/0"])
    func refusesWhatIsNoPosition(text: String) { #expect(LSN(text) == nil) }

    @Test func distanceNeverWraps() {
        #expect(LSN(rawValue: 5).distance(from: LSN(rawValue: 9)) == 0)
        #expect(LSN(rawValue: 9).distance(from: LSN(rawValue: 5)) == 4)
    }
}

@Suite struct IdentifierTests {
    @Test func doublesQuotesAndLeavesBackslashesAlone() {
        #expect(Identifier.quoted(#"we"ird\name"#) == #""we""ird\name""#)
        #expect(Identifier.literal(#"it's a \ "q""#) == #"'it''s a \ "q"'"#)
        #expect(Identifier.qualified("a.b", "c\nd") == "\"a.b\".\"c\nd\"")
    }

    @Test func quotesPublicationNamesTwice() {
        #expect(Identifier.publicationNames([#"p'"x"#, "y"]) == #"'"p''""x","y"'"#)
    }

    @Test func composedCharactersDoNotHideAQuote() {
        // A quote followed by a combining mark is one Character, but still a quote for the server.
        #expect(Identifier.quoted("a\"\u{301}").unicodeScalars.filter { $0 == "\"" }.count == 4)
        #expect(Identifier.quoted("a\0b") == "\"ab\"")
    }
}

@Suite struct ErrorTextTests {
    @Test func findsTheCodeOfARefusedLogin() {
        let text =
            "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password authentication failed for user \"x\"\n"
            + "LOCATION:  auth_failed, auth.c:334\n"
        #expect(ErrorText.sqlstate(in: text) == "28P01")
        #expect(ErrorText.sqlstate(in: "connection refused") == nil)
        #expect(ErrorText.connection(text, secrets: ["x\""]).contains("LOCATION") == false)
    }

    @Test func cutsSecretsOut() {
        #expect(ErrorText.clean("a s3cret\nb s3cret", secrets: ["s3cret"]) == "a *** b ***")
    }
}

@Suite struct FailureTests {
    @Test(
        arguments: [
            (nil, .streaming, .retryable), ("57P01", .streaming, .retryable), ("57P03", .connecting, .retryable), ("08006", .reading, .retryable),
            ("28P01", .connecting, .authentication), ("28000", .connecting, .authentication), ("42501", .slotCreation, .authentication),
            ("3D000", .connecting, .configuration), ("55000", .slotCreation, .configuration), ("55000", .slotUse, .slot),
            ("55000", .streaming, .slot),
            ("42704", .slotUse, .slot), ("42704", .streaming, .slot), ("42704", .reading, .configuration), ("55006", .slotUse, .slotInUse),
            ("55006", .slotCreation, .retryable), ("53300", .connecting, .retryable), ("53400", .slotCreation, .configuration),
            ("42601", .slotUse, .configuration), ("58P01", .slotUse, .slot), ("XX000", .streaming, .protocolViolation),
            ("40001", .snapshot, .retryable),
        ] as [(String?, PostgresActivity, PostgresFailure)])
    func isDecidedByCodeAndActivity(code: String?, doing: PostgresActivity, failure: PostgresFailure) {
        #expect(PostgresError.classify(code, doing: doing) == failure)
    }

    @Test(
        arguments: [("0", nil), ("2s", .seconds(2)), ("1500ms", .milliseconds(1500)), ("1min", .seconds(60)), ("60", .milliseconds(60)), ("x", nil)]
            as [(String, Duration?)])
    func readsTimeSettings(text: String, duration: Duration?) { #expect(Connection.interval(text) == duration) }

    @Test(arguments: [
        "host=/x dbname=y", "postgresql://u:p@h1,h2:5432/db?target_session_attrs=any&sslmode=verify-full", "host=a,b port=1", "host=a,b port=1,2", "",
        "sslmode=verify-full sslrootcert=/nowhere hostaddr=127.0.0.1",
    ])
    func connectionsThatMaySucceedPass(_ text: String) throws { try Connection.validate(text) }

    @Test(arguments: [
        ("sslmode=sometimes", "sslmode"), ("host=h port=99999", "99999"), ("postgresql://h:port/db", "port"), ("host=a,b port=1,2,3", "3 ports"),
        ("service=nowhere", "nowhere"), ("target_session_attrs=some password=planted", "target_session_attrs"), ("hots=x password=planted", "neither"),
        ("postgresql://u:a@planted:planted@h/db", "%40"),
    ])
    func connectionsThatNothingCuresAreNamed(_ text: String, _ word: String) {
        let error = #expect(throws: PostgresError.self) { try Connection.validate(text) }
        #expect(error?.failure == .configuration)
        #expect(error?.message.contains(word) == true && error?.message.contains("planted") == false)
    }
}
