//! Receipts in the second book: what a provider says of a message after it took it, and what follows from that.

use tocsin_domain::event::Event;
use tocsin_domain::id::NotificationId;
use tocsin_domain::page::Fate;
use tocsin_domain::people::ChannelKind;
use tocsin_domain::time::Timestamp;

use super::{Ledger, LetterState};
use crate::check::Check;

impl Ledger {
    /// A provider took a message under a name. Word of a text or a call is waited for, unless it came before.
    pub(super) fn owe_word(&mut self, id: NotificationId, at: Timestamp) {
        let letter = self.letters.get(&id);
        let owes = letter.is_some_and(|letter| {
            let by_phone = matches!(letter.channel, ChannelKind::Sms | ChannelKind::Voice);
            by_phone && letter.receipt.is_none()
        });
        if owes {
            self.set_state(id, LetterState::Owed(at));
        }
    }

    /// News is journalled only if it says more than was known; what was lost is followed by another way.
    pub(super) fn see_receipt(
        &mut self,
        id: NotificationId,
        (number, fate): (u32, Fate),
        envelope: &Event,
    ) {
        let Some(letter) = self.letters.get(&id).cloned() else {
            return;
        };
        let at = envelope.at;
        let is_last = number == letter.attempts;
        if is_last {
            let is_news = match (letter.receipt, fate) {
                (None, _) => true,
                (Some(Fate::Unknown), fate) => fate != Fate::Unknown,
                (Some(Fate::Delivered), fate) => fate == Fate::Read,
                (Some(Fate::Read | Fate::Failed), _) => false,
            };
            if !is_news {
                self.find_about(Check::RepeatsAreBounded, id, at, "that was known");
            }
            if let Some(letter) = self.letters.get_mut(&id) {
                letter.receipt = Some(fate);
            }
        }
        match fate {
            Fate::Unknown | Fate::Failed => {
                self.given_up.insert(envelope.position);
            }
            Fate::Delivered | Fate::Read => {}
        }
        if let LetterState::Owed(since) = letter.state {
            if fate == Fate::Unknown && at.ms_since(since) < super::due::RECEIPT_MS {
                self.find_about(Check::NothingForgotten, id, at, "word of it may still come");
            }
            if is_last {
                self.set_state(id, LetterState::Over);
            }
        }
    }
}
