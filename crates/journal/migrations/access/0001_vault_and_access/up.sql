-- Secrets and addresses, each sealed under a key that is not in this file. Times are microseconds since 1970 in UTC.
CREATE TABLE vault (
    id         TEXT PRIMARY KEY NOT NULL,
    owner      TEXT,
    lookup     TEXT,
    nonce      BLOB NOT NULL,
    ciphertext BLOB NOT NULL
) STRICT;
CREATE INDEX vault_by_owner ON vault (owner) WHERE owner IS NOT NULL;
CREATE INDEX vault_by_lookup ON vault (lookup) WHERE lookup IS NOT NULL;

-- A known text sealed under the key: what cannot be opened by a key was not sealed by it.
CREATE TABLE vault_check (
    id         INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    nonce      BLOB NOT NULL,
    ciphertext BLOB NOT NULL
) STRICT;

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY NOT NULL,
    user       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE passwords (
    user       TEXT PRIMARY KEY NOT NULL,
    hash       TEXT    NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_tokens (
    id         TEXT PRIMARY KEY NOT NULL,
    lookup     TEXT    NOT NULL,
    token_hash TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    user       TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used  INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX api_tokens_by_lookup ON api_tokens (lookup);
CREATE INDEX api_tokens_by_user ON api_tokens (user) WHERE user IS NOT NULL;

CREATE TABLE one_time_tokens (
    token_hash TEXT PRIMARY KEY NOT NULL,
    purpose    TEXT    NOT NULL,
    user       TEXT,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;
CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user) WHERE user IS NOT NULL;

CREATE TABLE settings (
    key  TEXT PRIMARY KEY NOT NULL,
    json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    scope       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    status      INTEGER,
    nonce       BLOB,
    body        BLOB,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT;
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
