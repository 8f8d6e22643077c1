//! The codes of tickets. The one in the link opens the show on any device; a device that has shown it gets one of its own.
//!
//! Both are the ticket's number (128 random bits) with an HMAC, so that a made-up one costs no look into the books.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

use super::wire::PaymentId;
use crate::room::RoomId;

const NUMBER_CHARS: usize = 32;
const DEVICE_CHARS: usize = 16;
const SIGNATURE_CHARS: usize = 32;

/// One device of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pass {
    pub ticket: PaymentId,
    /// 64 random bits.
    pub device: String,
}

/// Signs and reads the codes of one server.
pub(crate) struct TicketKey(hmac::Key);

impl TicketKey {
    /// With the key of the tokens; what is signed differs.
    pub fn new(key: &SecretString) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes()))
    }

    /// The code that stands in the link.
    pub fn code(&self, room: &RoomId, ticket: &str) -> String {
        format!("{ticket}{}", self.sign("ticket", room, ticket))
    }

    /// The ticket of a code, if it is ours and of this room.
    pub fn ticket(&self, room: &RoomId, code: &str) -> Option<PaymentId> {
        let ticket = self.read("ticket", room, code, NUMBER_CHARS)?;
        Some(ticket.to_owned())
    }

    /// The code of one device.
    pub fn pass_code(&self, room: &RoomId, pass: &Pass) -> String {
        let text = format!("{}{}", pass.ticket, pass.device);
        format!("{text}{}", self.sign("pass", room, &text))
    }

    /// The device of a code, if it is ours and of this room.
    pub fn pass(&self, room: &RoomId, code: &str) -> Option<Pass> {
        let text = self.read("pass", room, code, NUMBER_CHARS + DEVICE_CHARS)?;
        let (ticket, device) = text.split_at(NUMBER_CHARS);
        Some(Pass {
            ticket: ticket.to_owned(),
            device: device.to_owned(),
        })
    }

    fn sign(&self, what: &str, room: &RoomId, text: &str) -> String {
        let signed = hmac::sign(&self.0, format!("{what}\0{room}\0{text}").as_bytes());
        hex(&signed.as_ref()[..SIGNATURE_CHARS / 2])
    }

    fn read<'a>(&self, what: &str, room: &RoomId, code: &'a str, chars: usize) -> Option<&'a str> {
        let plain =
            code.len() == chars + SIGNATURE_CHARS && code.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (text, signature) = plain.then(|| code.split_at(chars))?;
        let right = self.sign(what, room, text);
        // In a time that does not tell how much was right.
        let difference = right
            .bytes()
            .zip(signature.bytes())
            .fold(0, |all, (a, b)| all | (a ^ b));
        (difference == 0).then_some(text)
    }
}

/// A new payment's number.
pub(super) fn new_number() -> PaymentId {
    format!("{:032x}", rand::random::<u128>())
}

/// A new device's.
pub(super) fn new_device() -> String {
    format!("{:016x}", rand::random::<u64>())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_opens_its_own_room_and_cannot_be_made_up() {
        let key = TicketKey::new(&"a key of the tests".into());
        let room = |name: &str| name.parse::<RoomId>().expect("a room's name");
        let number = new_number();
        let code = key.code(&room("a"), &number);
        assert_eq!(key.ticket(&room("a"), &code), Some(number.clone()));
        assert_eq!(key.ticket(&room("b"), &code), None, "another room");
        assert_eq!(
            TicketKey::new(&"another".into()).ticket(&room("a"), &code),
            None,
            "another server"
        );
        let pass = Pass {
            ticket: number.clone(),
            device: new_device(),
        };
        let of_device = key.pass_code(&room("a"), &pass);
        assert_eq!(key.pass(&room("a"), &of_device), Some(pass));
        assert_eq!(
            key.ticket(&room("a"), &of_device),
            None,
            "a device's is no ticket's"
        );
        for at in 0..code.len() {
            let mut forged: Vec<u8> = code.clone().into();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).expect("ASCII");
            assert_eq!(key.ticket(&room("a"), &forged), None, "{at}");
        }
        for none in ["", "é", &"é".repeat(32), &"0".repeat(64), &"g".repeat(64)] {
            assert_eq!(key.ticket(&room("a"), none), None);
        }
    }
}
