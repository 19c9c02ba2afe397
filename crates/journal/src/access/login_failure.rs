//! Counting failed logins by account and by address; what follows from a count is decided elsewhere.

use std::net::IpAddr;

use diesel::prelude::*;
use tocsin_domain::time::Timestamp;

use super::Access;
use crate::error::AccessError;
use crate::schema::login_failures;

/// Subjects that are counted at a time; the one that failed longest ago is forgotten for a new one.
const SUBJECTS_MAX: i64 = 100_000;

/// Who fails to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginSubject<'a> {
    /// The account as it was typed, whether it exists or not.
    Account(&'a str),
    /// Where from; of IPv6 the network of 64 bits, which one customer has to himself.
    Address(IpAddr),
}

/// How often somebody failed within the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How often.
    pub count: u32,
    /// When last.
    pub last_at: Option<Timestamp>,
}

impl Access {
    /// Counts one more failure and returns the count. A count ends `window_ms` after its last failure.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn record_login_failure(
        &self,
        subject: LoginSubject<'_>,
        now: Timestamp,
        window_ms: u64,
    ) -> Result<Failures, AccessError> {
        let subject = self.subject_of(subject);
        let count = self.database.write(|connection| {
            diesel::delete(login_failures::table)
                .filter(login_failures::last_at.lt(now.minus_ms(window_ms).as_micros()))
                .execute(connection)?;
            make_room(connection, &subject)?;
            diesel::insert_into(login_failures::table)
                .values((
                    login_failures::subject.eq(&subject),
                    login_failures::count.eq(1),
                    login_failures::first_at.eq(now.as_micros()),
                    login_failures::last_at.eq(now.as_micros()),
                ))
                .on_conflict(login_failures::subject)
                .do_update()
                .set((
                    login_failures::count.eq(login_failures::count + 1),
                    login_failures::last_at.eq(now.as_micros()),
                ))
                .returning(login_failures::count)
                .get_result::<i32>(connection)
        })?;
        Ok(Failures {
            count: count.unsigned_abs(),
            last_at: Some(now),
        })
    }

    /// The count as it is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn login_failures(
        &self,
        subject: LoginSubject<'_>,
        now: Timestamp,
        window_ms: u64,
    ) -> Result<Failures, AccessError> {
        let found = self.database.read(|connection| {
            login_failures::table
                .find(self.subject_of(subject))
                .filter(login_failures::last_at.ge(now.minus_ms(window_ms).as_micros()))
                .select((login_failures::count, login_failures::last_at))
                .first::<(i32, i64)>(connection)
                .optional()
        })?;
        Ok(
            found.map_or_else(Failures::default, |(count, last_at)| Failures {
                count: count.unsigned_abs(),
                last_at: Some(Timestamp::from_micros(last_at)),
            }),
        )
    }

    /// Forgets the count, after a login that succeeded.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn clear_login_failures(&self, subject: LoginSubject<'_>) -> Result<(), AccessError> {
        self.database.read(|connection| {
            diesel::delete(login_failures::table.find(self.subject_of(subject))).execute(connection)
        })?;
        Ok(())
    }

    fn subject_of(&self, subject: LoginSubject<'_>) -> String {
        match subject {
            LoginSubject::Account(name) => self
                .key
                .lookup("failing account", &name.trim().to_lowercase()),
            LoginSubject::Address(address) => self
                .key
                .lookup("failing address", &network_of(address).to_string()),
        }
    }
}

fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(network.into())
        }
    }
}

fn make_room(connection: &mut SqliteConnection, subject: &str) -> QueryResult<()> {
    let known = diesel::select(diesel::dsl::exists(login_failures::table.find(subject)))
        .get_result::<bool>(connection)?;
    let count = login_failures::table
        .count()
        .get_result::<i64>(connection)?;
    if !known && count >= SUBJECTS_MAX {
        let oldest: Option<String> = login_failures::table
            .order(login_failures::last_at)
            .select(login_failures::subject)
            .first(connection)
            .optional()?;
        diesel::delete(login_failures::table.filter(login_failures::subject.eq_any(oldest)))
            .execute(connection)?;
    }
    Ok(())
}
