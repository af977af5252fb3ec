//! What is ordered.

use serde::{Deserialize, Serialize};

/// So many pieces, at a price each.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub pieces: u32,
    pub price: u32,
}
