//! The tables as the query builder sees them; they mirror `migrations/` and know nothing else.

// `record::Insert` names these columns too.
diesel::table! {
    events (position) {
        position -> BigInt,
        at -> BigInt,
        recorded_at -> BigInt,
        kind -> Text,
        version -> Integer,
        stream -> Text,
        incident -> Nullable<Text>,
        actor -> Text,
        cause -> Text,
        body -> Text,
    }
}

diesel::table! {
    meta (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    epoch (id) {
        id -> Integer,
        number -> BigInt,
    }
}

diesel::table! {
    vault (id) {
        id -> Text,
        owner -> Nullable<Text>,
        lookup -> Nullable<Text>,
        nonce -> Binary,
        ciphertext -> Binary,
        purpose -> Nullable<Text>,
    }
}

diesel::table! {
    vault_check (id) {
        id -> Integer,
        nonce -> Binary,
        ciphertext -> Binary,
    }
}

diesel::table! {
    sessions (token_hash) {
        token_hash -> Text,
        user -> Text,
        created_at -> BigInt,
        last_seen -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    passwords (user) {
        user -> Text,
        hash -> Text,
        changed_at -> BigInt,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Text,
        lookup -> Text,
        token_hash -> Text,
        name -> Text,
        role -> Text,
        user -> Nullable<Text>,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        last_used -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        made_by -> Nullable<Text>,
        scopes -> Nullable<Text>,
        requests_per_minute -> Nullable<BigInt>,
    }
}

diesel::table! {
    one_time_tokens (token_hash) {
        token_hash -> Text,
        purpose -> Text,
        user -> Nullable<Text>,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    settings (key) {
        key -> Text,
        json -> Text,
    }
}

diesel::table! {
    idempotency_keys (scope, key) {
        scope -> Text,
        key -> Text,
        fingerprint -> Text,
        status -> Nullable<Integer>,
        nonce -> Nullable<Binary>,
        body -> Nullable<Binary>,
        expires_at -> BigInt,
    }
}
