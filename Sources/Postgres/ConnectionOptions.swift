/// What the host adds to the user's connection string.
public struct ConnectionOptions: Sendable {
    /// Shown in `pg_stat_activity`, unless the user's connection string names another.
    public var applicationName: String
    /// For each host of the connection string, login included.
    public var connectTimeout: Duration
    /// A walsender session (`replication=database`): replication commands and simple SQL.
    public var replication: Bool
    /// After this long without a byte a link counts as dead; TCP's own keepalives are set to match, unless the user set them.
    public var silenceTimeout: Duration
    /// How long an ordinary query may take; nil for no limit. COPY, slot creation and streaming have their own rules.
    public var queryTimeout: Duration?

    /// Makes options with the host's defaults.
    public init(
        applicationName: String = "cdc-host", connectTimeout: Duration = .seconds(10), replication: Bool = false,
        silenceTimeout: Duration = .seconds(60),
        queryTimeout: Duration? = .seconds(60)
    ) {
        self.applicationName = applicationName
        self.connectTimeout = connectTimeout
        self.replication = replication
        self.silenceTimeout = silenceTimeout
        self.queryTimeout = queryTimeout
    }
}
