//! The protocols of Prometheus, from bytes to a [`tocsin_domain::write::Write`] and back; it fetches, keeps and decides nothing.

pub mod exposition;
mod families;
mod labels;
pub mod properties;
mod protobuf;
pub mod remote_write;
pub mod snappy;

#[cfg(test)]
mod tests;

pub use labels::LabelFault;
pub use protobuf::ProtobufError;
