//! Tests of scraping.
