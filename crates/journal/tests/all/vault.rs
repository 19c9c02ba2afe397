//! What the vault keeps from whoever reads or changes its file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use tocsin_domain::id::{SecretId, UserId};
use tocsin_journal::{AccessError, DataDirLock, SECRET_BYTES_MAX, Vault};

use crate::given::{Seeded, assert_nowhere, directory, locked, tampered};

fn opened(directory: &Path) -> (DataDirLock, Vault) {
    let lock = locked(directory);
    let vault = Vault::open(&lock, None, &mut Seeded(11)).unwrap();
    (lock, vault)
}

fn reopening_error(directory: &TempDir, key_file: Option<&Path>) -> AccessError {
    let lock = locked(directory.path());
    Vault::open(&lock, key_file, &mut Seeded(12)).unwrap_err()
}

fn text(secret: Option<SecretString>) -> Option<String> {
    secret.map(|secret| secret.expose_secret().to_owned())
}

#[test]
fn a_secret_comes_back_by_its_id_and_stands_in_no_file() {
    let path = directory();
    let mut entropy = Seeded(1);
    let (id, owner) = (SecretId::random(&mut entropy), UserId::random(&mut entropy));
    let secret = "premium.engineer@example.org";
    {
        let (_lock, vault) = opened(path.path());
        let put = vault.put_sign_in(id, Some(owner), &secret.into(), &mut entropy);
        assert!(put.unwrap());
        assert_nowhere(path.path(), secret);
    }
    assert_nowhere(path.path(), secret);
    let (_lock, vault) = opened(path.path());
    assert_eq!(text(vault.get(id).unwrap()).as_deref(), Some(secret));
    let new = "new@example.org".into();
    assert!(
        vault
            .put_sign_in(id, Some(owner), &new, &mut entropy)
            .unwrap()
    );
    assert_eq!(vault.find_sign_in(secret).unwrap(), None);
    assert_eq!(vault.find_sign_in(" New@Example.ORG ").unwrap(), Some(id));
    assert!(vault.delete(id).unwrap());
    assert!(!vault.delete(id).unwrap());
    assert_eq!(text(vault.get(id).unwrap()), None);
}

#[test]
fn an_address_signs_in_one_person_alone_but_may_receive_for_many() {
    let path = directory();
    let (_lock, vault) = opened(path.path());
    let mut entropy = Seeded(2);
    let (first, second) = (UserId::random(&mut entropy), UserId::random(&mut entropy));
    let ids: [SecretId; 3] = std::array::from_fn(|_| SecretId::random(&mut entropy));
    let address = "ops@example.org".into();
    assert!(
        vault
            .put_sign_in(ids[0], Some(first), &address, &mut entropy)
            .unwrap()
    );
    vault
        .put(ids[1], Some(second), &address, &mut entropy)
        .unwrap();
    let taken = vault.put_sign_in(
        ids[2],
        Some(second),
        &"OPS@example.org".into(),
        &mut entropy,
    );
    assert!(!taken.unwrap());
    assert_eq!(text(vault.get(ids[2]).unwrap()), None);
    assert_eq!(vault.find_sign_in("ops@example.org").unwrap(), Some(ids[0]));
    assert_eq!(vault.delete_owned_by(first).unwrap(), 1);
    assert_eq!(vault.find_sign_in("ops@example.org").unwrap(), None);
}

#[test]
fn what_belongs_to_nobody_is_removed_and_all_else_kept() {
    let path = directory();
    let (_lock, vault) = opened(path.path());
    let mut entropy = Seeded(7);
    let (here, gone) = (UserId::random(&mut entropy), UserId::random(&mut entropy));
    let ids: [SecretId; 7] = std::array::from_fn(|_| SecretId::random(&mut entropy));
    let [signs_in, lost, phone, gone_phone, password, key, dead_key] = ids;
    for (id, address) in [(signs_in, "here@example.org"), (lost, "lost@example.org")] {
        let put = vault.put_sign_in(id, None, &address.into(), &mut entropy);
        assert!(put.unwrap());
    }
    for (id, owner) in [
        (phone, Some(here)),
        (gone_phone, Some(gone)),
        (password, None),
    ] {
        vault.put(id, owner, &"x".into(), &mut entropy).unwrap();
    }
    for id in [key, dead_key] {
        vault.put_key(id, &"x".into(), &mut entropy).unwrap();
    }
    let removed = vault.keep_only(&[(here, signs_in)].into(), &[key].into());
    assert_eq!(removed.unwrap(), 3);
    let kept = ids.map(|id| vault.get(id).unwrap().is_some());
    assert_eq!(kept, [true, false, true, false, true, true, false]);
}

#[test]
fn a_secret_that_is_too_large_is_refused() {
    let path = directory();
    let (_lock, vault) = opened(path.path());
    let mut entropy = Seeded(3);
    let id = SecretId::random(&mut entropy);
    let large: SecretString = "x".repeat(SECRET_BYTES_MAX + 1).into();
    let refusal = vault.put(id, None, &large, &mut entropy);
    assert!(matches!(refusal, Err(AccessError::Refused { .. })));
}

/// Two rows are stored, `sql` is run on the file with their ids in place of `$1` and `$2`, and the first is read.
fn check_tampering(sql: &str) {
    let path = directory();
    let (_lock, vault) = opened(path.path());
    let mut entropy = Seeded(4);
    let ids = [
        SecretId::random(&mut entropy),
        SecretId::random(&mut entropy),
    ];
    let owner = UserId::random(&mut entropy);
    for (id, address) in ids.iter().zip(["one@example.org", "two@example.org"]) {
        vault
            .put(*id, Some(owner), &address.into(), &mut entropy)
            .unwrap();
    }
    let sql = sql
        .replace("$1", ids[0].as_str())
        .replace("$2", ids[1].as_str());
    assert!(tampered(path.path(), "access.sqlite3", &sql) > 0);
    let refusal = vault.get(ids[0]).unwrap_err();
    assert!(
        matches!(refusal, AccessError::Tampered { id } if id == ids[0]),
        "{sql}: {refusal}"
    );
}

#[test]
fn a_row_that_was_changed_swapped_or_given_to_another_does_not_open() {
    check_tampering("UPDATE vault SET ciphertext = zeroblob(length(ciphertext)) WHERE id = '$1'");
    check_tampering("UPDATE vault SET ciphertext = x'00' WHERE id = '$1'");
    check_tampering("UPDATE vault SET nonce = x'00' WHERE id = '$1'");
    check_tampering("UPDATE vault SET owner = NULL WHERE id = '$1'");
    check_tampering(
        "UPDATE vault SET (nonce, ciphertext) = (SELECT nonce, ciphertext FROM vault WHERE id = '$2') WHERE id = '$1'",
    );
}

#[test]
fn a_row_is_not_found_under_another_address() {
    let path = directory();
    let (_lock, vault) = opened(path.path());
    let mut entropy = Seeded(5);
    let (victim, thief) = (
        SecretId::random(&mut entropy),
        SecretId::random(&mut entropy),
    );
    for (id, address) in [(victim, "victim@example.org"), (thief, "thief@example.org")] {
        let put = vault.put_sign_in(id, None, &address.into(), &mut entropy);
        assert!(put.unwrap());
    }
    for sql in [
        format!(
            "UPDATE vault SET lookup = (SELECT lookup FROM vault WHERE id = '{thief}') WHERE id = '{victim}'"
        ),
        format!("UPDATE vault SET lookup = NULL WHERE id = '{thief}'"),
    ] {
        assert!(tampered(path.path(), "access.sqlite3", &sql) > 0);
    }
    let refusal = vault.find_sign_in("thief@example.org").unwrap_err();
    assert!(matches!(refusal, AccessError::Tampered { id } if id == victim));
}

#[test]
fn the_key_is_made_for_its_owner_alone_and_a_looser_one_is_refused_with_the_command_that_mends_it()
{
    let path = directory();
    drop(opened(path.path()));
    let key = path.path().canonicalize().unwrap().join("secret.key");
    let rights = |mode| std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
    let found = std::fs::metadata(&key).unwrap();
    assert_eq!(
        (found.permissions().mode() & 0o777, found.len()),
        (0o600, 32)
    );
    for mode in [0o640, 0o604, 0o660] {
        rights(mode);
        let refusal = reopening_error(&path, None).to_string();
        assert!(
            refusal.contains(&format!("chmod 600 {}", key.display())),
            "{refusal}"
        );
    }
    rights(0o400);
    drop(opened(path.path()));
    for file in ["access.sqlite3", "lock", "format.json"] {
        let mode = std::fs::metadata(path.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
}

#[test]
fn another_key_or_none_is_refused_and_the_vault_left_as_it_was() {
    let path = directory();
    let mut entropy = Seeded(6);
    let id = SecretId::random(&mut entropy);
    {
        let (_lock, vault) = opened(path.path());
        vault
            .put(id, None, &"https://example.org/x".into(), &mut entropy)
            .unwrap();
    }
    let key = path.path().join("secret.key");
    let other = path.path().join("other.key");
    std::fs::write(&other, [7_u8; 32]).unwrap();
    std::fs::set_permissions(&other, PermissionsExt::from_mode(0o600)).unwrap();
    assert!(matches!(
        reopening_error(&path, Some(&other)),
        AccessError::WrongKey { .. }
    ));

    std::fs::rename(&key, path.path().join("kept.key")).unwrap();
    let refusal = reopening_error(&path, None).to_string();
    assert!(refusal.contains("put it back"), "{refusal}");
    assert!(!key.exists(), "no new key is made for an old vault");

    std::fs::write(&key, [7_u8; 31]).unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    let refusal = reopening_error(&path, None).to_string();
    assert!(refusal.contains("exactly 32 bytes"), "{refusal}");

    let lock = locked(path.path());
    let kept = path.path().join("kept.key");
    let vault = Vault::open(&lock, Some(&kept), &mut entropy).unwrap();
    assert!(vault.get(id).unwrap().is_some());
}

#[test]
fn a_key_file_that_was_named_must_be_there() {
    let path = directory();
    let absent = path.path().join("elsewhere.key");
    let refusal = reopening_error(&path, Some(&absent)).to_string();
    assert!(refusal.contains("head -c 32 /dev/urandom"), "{refusal}");
    assert!(!absent.exists());
}
