//! Who gets in, and who no longer does.

mod bounds;

use std::path::Path;

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tocsin_domain::id::{SecretId, TokenId, UserId};
use tocsin_domain::people::{Role, TOKEN_NAME_CHARS_MAX, TokenBounds};
use tocsin_domain::time::Timestamp;
use tocsin_journal::{
    Access, DataDirLock, Idempotency, NewApiToken, OneTimePurpose, OneTimeRefusal, PasswordError,
    Vault, hash_password, verify_decoy_password, verify_password,
};

use crate::given::{Seeded, assert_nowhere, directory, locked, tampered};

const HOUR_MS: u64 = 3_600_000;

fn at(hours: u64) -> Timestamp {
    Timestamp::from_millis(1_723_950_000_000).plus_ms(hours * HOUR_MS)
}

fn opened(directory: &Path) -> (DataDirLock, Vault, Access) {
    let lock = locked(directory);
    let vault = Vault::open(&lock, None, &mut Seeded(21)).unwrap();
    let access = Access::open(&lock, &vault).unwrap();
    (lock, vault, access)
}

#[test]
fn a_session_lasts_until_it_expires_or_is_ended_and_its_token_is_not_kept() {
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let mut entropy = Seeded(1);
    let user = UserId::random(&mut entropy);
    let new = access
        .create_session(user, at(0), at(8), &mut entropy)
        .unwrap();
    let token = new.token.expose_secret();
    assert_eq!(token.len(), 64);
    let session = access.session(token, at(1)).unwrap().unwrap();
    assert_eq!(
        (session.user, session.created_at, session.expires_at),
        (user, at(0), at(8))
    );
    assert_eq!(session.csrf.expose_secret(), new.csrf.expose_secret());
    assert_ne!(session.csrf.expose_secret(), token);
    assert!(access.session(token, at(8)).unwrap().is_none());
    assert!(access.session("", at(1)).unwrap().is_none());
    assert_nowhere(path.path(), token);
    assert_nowhere(path.path(), new.csrf.expose_secret());

    access.touch_session(token, at(0).plus_ms(59_000)).unwrap();
    assert_eq!(
        access.session(token, at(1)).unwrap().unwrap().last_seen,
        at(0)
    );
    access.touch_session(token, at(1)).unwrap();
    assert_eq!(
        access.session(token, at(1)).unwrap().unwrap().last_seen,
        at(1)
    );

    assert!(access.end_session(token).unwrap());
    assert!(!access.end_session(token).unwrap());
    assert!(access.session(token, at(1)).unwrap().is_none());
}

#[test]
fn a_person_has_fifty_sessions_at_most_and_can_end_them_all() {
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let mut entropy = Seeded(2);
    let (user, other) = (UserId::random(&mut entropy), UserId::random(&mut entropy));
    let mut begin = |user, minute: u64| {
        let now = at(0).plus_ms(minute * 60_000);
        access
            .create_session(user, now, at(100), &mut entropy)
            .unwrap()
            .token
    };
    let first = begin(user, 0);
    let others = begin(other, 0);
    for minute in 1..=50 {
        begin(user, minute);
    }
    assert!(
        access
            .session(first.expose_secret(), at(1))
            .unwrap()
            .is_none()
    );
    assert_eq!(access.end_sessions_of(user).unwrap(), 50);
    assert!(
        access
            .session(others.expose_secret(), at(1))
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_password_is_verified_by_its_hash_alone() {
    let mut entropy = Seeded(3);
    let good: SecretString = "correct horse battery staple".into();
    let hash = hash_password(&good, &mut entropy).unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"),
        "{hash}"
    );
    assert!(verify_password(&hash, &good));
    assert!(!verify_password(
        &hash,
        &"correct horse battery stable".into()
    ));
    assert!(!verify_password("", &good));
    assert!(!verify_password(&hash, &"x".repeat(100_000).into()));
    verify_decoy_password(&good);
    assert_ne!(
        hash,
        hash_password(&good, &mut entropy).unwrap(),
        "the salt differs"
    );
    for (given, expected) in [
        ("elevenchars", PasswordError::TooShort),
        ("", PasswordError::TooShort),
        (&"x".repeat(1_025), PasswordError::TooLong),
    ] {
        assert_eq!(hash_password(&given.into(), &mut entropy), Err(expected));
    }
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let user = UserId::random(&mut entropy);
    assert_eq!(access.password_hash(user).unwrap(), None);
    access.set_password(user, "first", at(0)).unwrap();
    access.set_password(user, &hash, at(1)).unwrap();
    assert_eq!(access.password_hash(user).unwrap(), Some(hash));
    access.remove_password(user).unwrap();
    assert_eq!(access.password_hash(user).unwrap(), None);
}

fn token_for<'a>(id: TokenId, user: Option<UserId>) -> NewApiToken<'a> {
    NewApiToken {
        id,
        name: "deploy hook",
        role: Role::Responder,
        user,
        made_by: user,
        expires_at: Some(at(24)),
        bounds: TokenBounds::default(),
    }
}

#[test]
fn an_api_token_works_until_it_expires_or_is_revoked() {
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let mut entropy = Seeded(4);
    let id = TokenId::random(&mut entropy);
    let text = access
        .create_api_token(&token_for(id, None), at(0), &mut entropy)
        .unwrap();
    let text = text.expose_secret();
    assert_eq!(text.len(), 20);
    assert!(
        text.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{text}"
    );
    assert_nowhere(path.path(), text);
    assert_nowhere(path.path(), &text[4..]);

    let found = access.api_token(text, at(1)).unwrap().unwrap();
    assert_eq!(
        (found.id, found.role, found.user),
        (id, Role::Responder, None)
    );
    assert_eq!(
        (found.name.as_str(), found.lookup.as_str()),
        ("deploy hook", &text[..4])
    );
    assert_eq!(access.api_tokens(None).unwrap(), vec![found]);
    assert!(access.api_token(text, at(24)).unwrap().is_none(), "expired");

    let used = |now| {
        let known = access.api_token(text, now).unwrap().unwrap();
        access.touch_api_token(&known, now).unwrap();
        access.api_tokens(None).unwrap()[0].last_used
    };
    assert_eq!(used(at(1)), Some(at(1)));
    assert_eq!(used(at(1).plus_ms(1_000)), Some(at(1)));
    assert_eq!(used(at(2)), Some(at(2)));

    assert!(access.revoke_api_token(id, at(2)).unwrap());
    assert!(!access.revoke_api_token(id, at(3)).unwrap());
    assert!(access.api_token(text, at(2)).unwrap().is_none(), "revoked");
    assert_eq!(access.api_tokens(None).unwrap()[0].revoked_at, Some(at(2)));
}

#[test]
fn a_token_of_which_it_was_not_kept_who_made_it_was_made_by_its_owner() {
    let path = directory();
    let opened_first = opened(path.path());
    let mut entropy = Seeded(4);
    let user = UserId::random(&mut entropy);
    let id = TokenId::random(&mut entropy);
    let access = &opened_first.2;
    access
        .create_api_token(&token_for(id, Some(user)), at(0), &mut entropy)
        .unwrap();
    drop(opened_first);
    for sql in [
        "ALTER TABLE api_tokens DROP COLUMN made_by",
        "DELETE FROM __diesel_schema_migrations WHERE version = '0003'",
    ] {
        tampered(path.path(), "access.sqlite3", sql);
    }
    let (_lock, _vault, access) = opened(path.path());
    assert_eq!(access.api_tokens(None).unwrap()[0].made_by, Some(user));
}

#[test]
fn the_name_of_a_token_is_as_long_as_any_in_every_script_and_no_longer() {
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let mut entropy = Seeded(7);
    // Each of these letters has three bytes.
    let longest = "警".repeat(TOKEN_NAME_CHARS_MAX);
    let mut named = |name: &str| {
        let new = NewApiToken {
            name,
            ..token_for(TokenId::random(&mut entropy), None)
        };
        access.create_api_token(&new, at(0), &mut entropy)
    };
    named(&longest).unwrap();
    let refused = named(&format!("{longest}!")).unwrap_err().to_string();
    assert!(refused.contains("100 characters at most"), "{refused}");
    let kept = access.api_tokens(None).unwrap();
    let names: Vec<&str> = kept.iter().map(|token| token.name.as_str()).collect();
    assert_eq!(names, [longest.as_str()]);
}

#[test]
fn two_tokens_with_the_same_first_characters_are_told_apart() {
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let mut entropy = Seeded(5);
    let ids = [TokenId::random(&mut entropy), TokenId::random(&mut entropy)];
    let texts = ids.map(|id| {
        access
            .create_api_token(&token_for(id, None), at(0), &mut entropy)
            .unwrap()
    });
    let shared = &texts[0].expose_secret()[..4];
    tampered(
        path.path(),
        "access.sqlite3",
        &format!("UPDATE api_tokens SET lookup = '{shared}'"),
    );
    let found = access.api_token(texts[0].expose_secret(), at(1)).unwrap();
    assert_eq!(found.map(|token| token.id), Some(ids[0]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_other_text_passes_for_a_token(text in "[A-Za-z0-9]{20}|\\PC{0,40}") {
        let path = directory();
        let (_lock, _vault, access) = opened(path.path());
        let mut entropy = Seeded(6);
        let id = TokenId::random(&mut entropy);
        let real = access.create_api_token(&token_for(id, None), at(0), &mut entropy).unwrap();
        prop_assert!(access.api_token(&text, at(1)).unwrap().is_none());
        let mixed = format!("{}{text}", &real.expose_secret()[..4]);
        prop_assert!(access.api_token(&mixed, at(1)).unwrap().is_none());
    }
}

#[test]
fn a_one_time_token_works_once_for_its_purpose_and_in_time() {
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let mut entropy = Seeded(7);
    let user = UserId::random(&mut entropy);
    let mut make = |purpose, user| {
        access
            .create_one_time(purpose, user, at(0), at(1), &mut entropy)
            .unwrap()
    };
    let link = make(OneTimePurpose::SignIn, Some(user));
    let setup = make(OneTimePurpose::Setup, None);
    let late = make(OneTimePurpose::SignIn, Some(user));
    let consume = |purpose, token: &SecretString, now| {
        access
            .consume_one_time(purpose, token.expose_secret(), now)
            .unwrap()
    };
    assert_nowhere(path.path(), link.expose_secret());
    assert_eq!(
        consume(OneTimePurpose::Setup, &link, at(0)),
        Err(OneTimeRefusal::Unknown)
    );
    assert_eq!(
        consume(OneTimePurpose::SignIn, &link, at(0)),
        Ok(Some(user))
    );
    assert_eq!(
        consume(OneTimePurpose::SignIn, &link, at(0)),
        Err(OneTimeRefusal::Used)
    );
    assert_eq!(
        consume(OneTimePurpose::SignIn, &late, at(1)),
        Err(OneTimeRefusal::Expired)
    );
    assert_eq!(access.withdraw_one_time(OneTimePurpose::Setup).unwrap(), 1);
    assert_eq!(
        consume(OneTimePurpose::Setup, &setup, at(0)),
        Err(OneTimeRefusal::Unknown)
    );
}

#[test]
fn of_many_who_use_a_link_at_once_one_gets_in() {
    let path = directory();
    let (lock, vault, access) = opened(path.path());
    let token = access
        .create_one_time(OneTimePurpose::SignIn, None, at(0), at(1), &mut Seeded(8))
        .unwrap();
    let won: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let access = Access::open(&lock, &vault).unwrap();
                let token = &token;
                scope.spawn(move || {
                    access
                        .consume_one_time(OneTimePurpose::SignIn, token.expose_secret(), at(0))
                        .unwrap()
                        .is_ok()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| usize::from(thread.join().unwrap()))
            .sum()
    });
    assert_eq!(won, 1);
}

#[test]
fn deleting_a_person_leaves_nothing_of_theirs_and_all_of_the_others() {
    let path = directory();
    let (_lock, vault, access) = opened(path.path());
    let mut entropy = Seeded(9);
    let users = [UserId::random(&mut entropy), UserId::random(&mut entropy)];
    let given = users.map(|user| {
        let secret = SecretId::random(&mut entropy);
        vault
            .put(secret, Some(user), &"a@example.org".into(), &mut entropy)
            .unwrap();
        access.set_password(user, "hash", at(0)).unwrap();
        let id = TokenId::random(&mut entropy);
        let token = access.create_api_token(&token_for(id, Some(user)), at(0), &mut entropy);
        let session = access.create_session(user, at(0), at(9), &mut entropy);
        let purpose = OneTimePurpose::SignIn;
        let link = access.create_one_time(purpose, Some(user), at(0), at(9), &mut entropy);
        (
            user,
            secret,
            token.unwrap(),
            session.unwrap().token,
            link.unwrap(),
        )
    });
    let account = NewApiToken {
        made_by: Some(users[0]),
        ..token_for(TokenId::random(&mut entropy), None)
    };
    let account = access.create_api_token(&account, at(0), &mut entropy);
    let account = account.unwrap();
    access.delete_user(users[0]).unwrap();
    let kept = access.api_token(account.expose_secret(), at(1)).unwrap();
    let kept = kept.map(|token| (token.user, token.made_by));
    assert_eq!(
        kept,
        Some((None, Some(users[0]))),
        "what they made for the installation stays"
    );
    for ((user, secret, token, session, link), kept) in given.into_iter().zip([false, true]) {
        assert_eq!(vault.get(secret).unwrap().is_some(), kept);
        assert_eq!(access.password_hash(user).unwrap().is_some(), kept);
        assert_eq!(
            access
                .api_token(token.expose_secret(), at(1))
                .unwrap()
                .is_some(),
            kept
        );
        assert_eq!(
            access.api_tokens(Some(user)).unwrap().len(),
            usize::from(kept)
        );
        assert_eq!(
            access
                .session(session.expose_secret(), at(1))
                .unwrap()
                .is_some(),
            kept
        );
        let consumed = access.consume_one_time(OneTimePurpose::SignIn, link.expose_secret(), at(1));
        assert_eq!(consumed.unwrap().is_ok(), kept);
    }
}

#[test]
fn settings_are_kept_as_they_were_set() {
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let smtp = json!({ "host": "mail.example.org", "port": 465, "password": "QABCDEFGHIJKLM" });
    assert_eq!(access.setting("smtp").unwrap(), None);
    access.set_setting("smtp", &json!({})).unwrap();
    access.set_setting("smtp", &smtp).unwrap();
    access
        .set_setting("ntfy", &json!("https://ntfy.example.org"))
        .unwrap();
    assert_eq!(access.setting("smtp").unwrap(), Some(smtp));
    assert_eq!(
        access.settings().unwrap().into_keys().collect::<Vec<_>>(),
        ["ntfy", "smtp"]
    );
    assert!(access.remove_setting("ntfy").unwrap());
    assert!(!access.remove_setting("ntfy").unwrap());
    assert!(
        access
            .set_setting("large", &json!("x".repeat(70_000)))
            .is_err()
    );
}

#[test]
fn a_repeated_request_gets_the_first_answer() {
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let begin = |key: &str, request: &str, now| {
        access
            .begin_idempotent("token Q1", key, request, now, at(24))
            .unwrap()
    };
    assert_eq!(begin("k", "POST /a {}", at(0)), Idempotency::New);
    assert_eq!(begin("k", "POST /a {}", at(0)), Idempotency::Running);
    assert_eq!(begin("k", "POST /b {}", at(0)), Idempotency::Mismatch);
    let answer = "{\"token\":\"a new secret\"}";
    access
        .finish_idempotent("token Q1", "k", 201, answer.as_bytes(), &mut Seeded(10))
        .unwrap();
    let done = Idempotency::Done {
        status: 201,
        body: answer.into(),
    };
    assert_eq!(begin("k", "POST /a {}", at(1)), done);
    assert_nowhere(path.path(), "a new secret");
    assert_eq!(
        begin("k", "POST /a {}", at(24)),
        Idempotency::New,
        "it is forgotten in time"
    );

    assert_eq!(begin("refused", "POST /c", at(1)), Idempotency::New);
    access.abandon_idempotent("token Q1", "refused").unwrap();
    assert_eq!(begin("refused", "POST /d", at(1)), Idempotency::New);
    let long = "k".repeat(256);
    assert!(
        access
            .begin_idempotent("scope", &long, "", at(0), at(1))
            .is_err()
    );
}
