//! The way to Stripe and back: requests as forms, answers as JSON, and what it says by itself, signed.

mod client;
mod event;
mod form;
mod signature;

pub(super) use client::{Checkout, Page, Stripe, StripeError};
pub(super) use event::{Heard, Said};
pub(super) use signature::{Signature, SignatureError};

/// Largest event that is read. Stripe's have a few kilobytes.
pub(crate) const MOST_EVENT_BYTES: usize = 256 * 1024;
/// The header with an event's signature.
pub(crate) const SIGNATURE_HEADER: &str = "stripe-signature";
