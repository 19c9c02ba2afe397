//! The protocols of Prometheus, from bytes to a [`tocsin_domain::write::Write`] and back; it fetches, keeps and decides nothing.

mod families;
mod labels;
mod protobuf;
pub mod remote_write;
pub mod snappy;

pub use labels::LabelFault;
pub use protobuf::ProtobufError;
