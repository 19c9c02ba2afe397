//! What tokens are kept to beside their roles.

use tocsin_domain::people::{Scope, Scopes};

use super::*;

#[test]
fn what_a_token_is_kept_to_is_kept_with_it() {
    let path = directory();
    let (_lock, _vault, access) = opened(path.path());
    let mut entropy = Seeded(9);
    let two = [Scope::Incidents, Scope::Alerts].into_iter().collect();
    let all = [
        TokenBounds::default(),
        TokenBounds {
            scopes: Some(two),
            requests_per_minute: Some(60),
        },
        TokenBounds {
            scopes: Some(Scopes::ALL),
            requests_per_minute: None,
        },
    ];
    for bounds in all {
        let new = NewApiToken {
            bounds,
            ..token_for(TokenId::random(&mut entropy), None)
        };
        let text = access.create_api_token(&new, at(0), &mut entropy).unwrap();
        let found = access.api_token(text.expose_secret(), at(1)).unwrap();
        assert_eq!(found.map(|token| token.bounds), Some(bounds));
    }
    let kept = access.api_tokens(None).unwrap();
    assert!(
        all.iter()
            .all(|bounds| kept.iter().any(|one| one.bounds == *bounds))
    );
}

#[test]
fn a_token_of_before_is_kept_to_nothing() {
    let path = directory();
    let opened_first = opened(path.path());
    let mut entropy = Seeded(10);
    let new = token_for(TokenId::random(&mut entropy), None);
    let text = opened_first
        .2
        .create_api_token(&new, at(0), &mut entropy)
        .unwrap();
    drop(opened_first);
    for sql in [
        "ALTER TABLE api_tokens DROP COLUMN scopes",
        "ALTER TABLE api_tokens DROP COLUMN requests_per_minute",
        "DELETE FROM __diesel_schema_migrations WHERE version = '0004'",
    ] {
        tampered(path.path(), "access.sqlite3", sql);
    }
    let (_lock, _vault, access) = opened(path.path());
    let found = access.api_token(text.expose_secret(), at(1)).unwrap();
    assert_eq!(
        found.map(|token| token.bounds),
        Some(TokenBounds::default())
    );
}

#[test]
fn a_scope_that_is_not_known_lets_nobody_in() {
    let path = directory();
    let opened_first = opened(path.path());
    let mut entropy = Seeded(11);
    let new = token_for(TokenId::random(&mut entropy), None);
    let text = opened_first
        .2
        .create_api_token(&new, at(0), &mut entropy)
        .unwrap();
    drop(opened_first);
    let sql = "UPDATE api_tokens SET scopes = 'alerts everything'";
    tampered(path.path(), "access.sqlite3", sql);
    let (_lock, _vault, access) = opened(path.path());
    let refused = access.api_token(text.expose_secret(), at(1)).unwrap_err();
    assert!(refused.to_string().contains("scope"), "{refused}");
}
