//! Settings of channels and the like, as JSON by key; their secrets are rows of the vault, named by id.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde_json::Value;

use super::Access;
use crate::error::AccessError;
use crate::schema::settings;

const KEY_BYTES_MAX: usize = 200;
const JSON_BYTES_MAX: usize = 64 * 1024;

impl Access {
    /// Sets the value of `key`.
    ///
    /// # Errors
    /// When key or value are too long or the database refuses.
    pub fn set_setting(&self, key: &str, value: &Value) -> Result<(), AccessError> {
        let json = value.to_string();
        if key.len() > KEY_BYTES_MAX || json.len() > JSON_BYTES_MAX {
            return Err(AccessError::Refused {
                what: format!(
                    "a setting's name may have {KEY_BYTES_MAX} bytes at most, its value {JSON_BYTES_MAX}"
                ),
            });
        }
        self.database.write(|connection| {
            diesel::insert_into(settings::table)
                .values((settings::key.eq(key), settings::json.eq(&json)))
                .on_conflict(settings::key)
                .do_update()
                .set(settings::json.eq(&json))
                .execute(connection)
        })?;
        Ok(())
    }

    /// The value of `key`, if it was set.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn setting(&self, key: &str) -> Result<Option<Value>, AccessError> {
        let json: Option<String> = self.database.read(|connection| {
            settings::table
                .find(key)
                .select(settings::json)
                .first(connection)
                .optional()
        })?;
        json.map(|json| self.value_of(&json)).transpose()
    }

    /// Every setting by its key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn settings(&self) -> Result<BTreeMap<String, Value>, AccessError> {
        let rows: Vec<(String, String)> = self
            .database
            .read(|connection| settings::table.load(connection))?;
        rows.into_iter()
            .map(|(key, json)| Ok((key, self.value_of(&json)?)))
            .collect()
    }

    /// Forgets a setting; says whether there was one.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn remove_setting(&self, key: &str) -> Result<bool, AccessError> {
        let removed = self
            .database
            .write(|connection| diesel::delete(settings::table.find(key)).execute(connection))?;
        Ok(removed > 0)
    }

    fn value_of(&self, json: &str) -> Result<Value, AccessError> {
        serde_json::from_str(json).map_err(|_| self.damaged("a setting is not JSON"))
    }
}
