/// The settings that the host forces on every session, whatever the role's or the database's defaults say: they decide the text of every value that
/// the server sends, and which of its timeouts could end a snapshot or a stream.
enum SessionSettings {
    /// One command of several SET statements; each holds for the session.
    static func commands(serverVersion: Int) -> String {
        var settings: [(name: String, value: String)] = [
            ("standard_conforming_strings", "on"),  // what Identifier's quoting relies on
            ("client_encoding", "'UTF8'"),
            ("TimeZone", "'UTC'"), ("DateStyle", "'ISO'"), ("IntervalStyle", "'postgres'"), ("bytea_output", "'hex'"), ("extra_float_digits", "3"),
            ("search_path", "''"),
            ("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0"),
            ("default_transaction_read_only", "off"), ("default_transaction_isolation", "'read committed'"),
            // A policy that hides rows from this role must fail the snapshot, not thin it out.
            ("row_security", "off"),
        ]
        if serverVersion >= 14_00_00 { settings.append(("idle_session_timeout", "0")) }
        if serverVersion >= 17_00_00 { settings.append(("transaction_timeout", "0")) }
        return settings.map { "SET \($0.name) TO \($0.value)" }.joined(separator: "; ")
    }
}
