//! The scoreboard of a status page: how many workers are in which state; not which worker is where.

/// What one worker slot is doing, by the character the status page uses for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkerState {
    /// `_`
    WaitingForConnection,
    /// `S`
    StartingUp,
    /// `R`
    ReadingRequest,
    /// `W`
    SendingReply,
    /// `K`
    KeepAlive,
    /// `D`
    DnsLookup,
    /// `C`
    ClosingConnection,
    /// `L`
    Logging,
    /// `G`
    GracefullyFinishing,
    /// `I`
    IdleCleanup,
    /// `.`
    OpenSlot,
    /// Any other character.
    Unknown,
}

impl WorkerState {
    /// Every state, in the order of the page's own legend.
    pub const ALL: [Self; 12] = [
        Self::WaitingForConnection,
        Self::StartingUp,
        Self::ReadingRequest,
        Self::SendingReply,
        Self::KeepAlive,
        Self::DnsLookup,
        Self::ClosingConnection,
        Self::Logging,
        Self::GracefullyFinishing,
        Self::IdleCleanup,
        Self::OpenSlot,
        Self::Unknown,
    ];

    /// The value of the label `state` in our metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::WaitingForConnection => "waiting_for_connection",
            Self::StartingUp => "starting_up",
            Self::ReadingRequest => "reading_request",
            Self::SendingReply => "sending_reply",
            Self::KeepAlive => "keepalive",
            Self::DnsLookup => "dns_lookup",
            Self::ClosingConnection => "closing_connection",
            Self::Logging => "logging",
            Self::GracefullyFinishing => "gracefully_finishing",
            Self::IdleCleanup => "idle_cleanup",
            Self::OpenSlot => "open_slot",
            Self::Unknown => "unknown",
        }
    }

    const fn of(symbol: char) -> Self {
        match symbol {
            '_' => Self::WaitingForConnection,
            'S' => Self::StartingUp,
            'R' => Self::ReadingRequest,
            'W' => Self::SendingReply,
            'K' => Self::KeepAlive,
            'D' => Self::DnsLookup,
            'C' => Self::ClosingConnection,
            'L' => Self::Logging,
            'G' => Self::GracefullyFinishing,
            'I' => Self::IdleCleanup,
            '.' => Self::OpenSlot,
            _ => Self::Unknown,
        }
    }
}

/// How many slots are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scoreboard {
    counts: [u64; WorkerState::ALL.len()],
}

impl Scoreboard {
    /// Counts the characters of the page's `Scoreboard` line.
    #[must_use]
    pub fn read(symbols: &str) -> Self {
        let mut counts = [0; WorkerState::ALL.len()];
        for symbol in symbols.chars() {
            counts[WorkerState::of(symbol) as usize] += 1;
        }
        Self { counts }
    }

    /// Slots in that state.
    #[must_use]
    pub fn count(&self, state: WorkerState) -> u64 {
        self.counts[state as usize]
    }

    /// Slots in all, which is `MaxRequestWorkers` of the configuration.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Whether there is no slot at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every state with its count, zero included, so that a series never ends because a state is rare.
    pub fn each(&self) -> impl Iterator<Item = (WorkerState, u64)> + '_ {
        WorkerState::ALL
            .into_iter()
            .map(|state| (state, self.count(state)))
    }
}
