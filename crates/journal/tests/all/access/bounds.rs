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
