//! The durable event journal, vault and access tables in SQL; nothing else names the database.
