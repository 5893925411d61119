//! Random numbers that belong to an entity, not to a moment.
//!
//! Every number is a pure function of (seed, replication, entity kind, entity id, purpose): the patience of customer 204
//! is the same however many operators there are, in whatever order events fall, and on any number of threads. That is
//! what makes common random numbers work, and what makes results independent of the machine.
//!
//! The generator is Philox4x64-10 of J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as
//! easy as 1, 2, 3", SC'11, 2011: a keyed bijection of a 256-bit counter, four 64-bit words a block. The key holds the
//! seed and the replication, the counter the entity and the purpose. The tests hold the authors' known answers.

/// The kinds of entity that own random numbers. The number of a kind is part of the stream's key and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A source of customers: its day factor and its choices for the whole day.
    Source = 1,
    /// One customer, or one attempt to reach one.
    Customer = 2,
    /// One operator.
    Operator = 3,
    /// One group of operators.
    Group = 4,
    /// One offer of a contact to an operator: keyed by the customer and the ordinal of the offer.
    Offer = 5,
    /// A bootstrap or another resampling of finished results.
    Resample = 6,
    /// A caller of the library, for purposes of its own.
    Other = 7,
}

/// What a number is for. Four purposes share a block, so that one computation serves a whole customer.
///
/// The number of a purpose is part of the stream's key and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// Time from the arrival before.
    Arrival = 0,
    /// The wait that the customer would bear.
    Patience = 1,
    /// Talk time.
    Talk = 2,
    /// After-call work.
    AfterCall = 3,
    /// Whether and how often the call is held.
    Hold = 4,
    /// Length of a hold.
    HoldLength = 5,
    /// Whether, when and with whom the operator consults.
    Consult = 6,
    /// Length of a consultation.
    ConsultLength = 7,
    /// Whether the operator ends the call by force.
    ForcedEnd = 8,
    /// The customer's choice in a menu, and how long it takes.
    Menu = 9,
    /// Whether the customer calls again, and when.
    Redial = 10,
    /// Whether the customer takes an offered callback.
    Callback = 11,
    /// Which class, skill or number the customer has.
    Class = 12,
    /// Which customer this is, where customers return.
    Identity = 13,
    /// Answer delay of an offer or of a dialled number.
    AnswerDelay = 14,
    /// Whether an offer or a dialled number is not answered.
    Miss = 15,
    /// Length of a break, or lateness for a shift.
    Break = 16,
    /// Whether an operator is present at all.
    Presence = 17,
    /// The factor of the day on a source's rate.
    DayFactor = 18,
    /// Anything else.
    Other = 19,
    /// Whether the customer leaves at once on hearing that they must wait.
    Balking = 20,
    /// Blind transfer at the end of the talk, and the talk after it.
    Transfer = 21,
    /// The wait that a customer bears who was served and has to wait again.
    PatienceAgain = 22,
}

/// Purposes in one block.
const LANES: u8 = 4;

/// An unending supply of uniform 64-bit words.
pub trait Draw {
    /// The next word, uniform on all 64-bit values.
    fn next_u64(&mut self) -> u64;

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    #[inline]
    fn uniform(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// Uniform in (0, 1): never 0, never 1.
    #[inline]
    fn uniform_open(&mut self) -> f64 {
        ((self.next_u64() >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
    }
}

/// A word as a number in [0, 1), a multiple of 2⁻⁵³.
#[inline]
#[must_use]
pub fn unit(word: u64) -> f64 {
    (word >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// One block of Philox4x64-10: four words from a 256-bit counter under a 128-bit key.
#[inline]
#[must_use]
pub fn philox4x64_10(mut counter: [u64; 4], mut key: [u64; 2]) -> [u64; 4] {
    const M0: u64 = 0xD2E7_470E_E14C_6C93;
    const M1: u64 = 0xCA5A_8263_9512_1157;
    const W0: u64 = 0x9E37_79B9_7F4A_7C15;
    const W1: u64 = 0xBB67_AE85_84CA_A73B;
    for _ in 0..10 {
        let (lo0, hi0) = counter[0].widening(M0);
        let (lo1, hi1) = counter[2].widening(M1);
        counter = [hi1 ^ counter[1] ^ key[0], lo1, hi0 ^ counter[3] ^ key[1], lo0];
        key = [key[0].wrapping_add(W0), key[1].wrapping_add(W1)];
    }
    counter
}

/// The full product of two words.
trait Widening {
    /// (low, high) words of the product.
    fn widening(self, by: Self) -> (u64, u64);
}

impl Widening for u64 {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the product are what is wanted")]
    fn widening(self, by: Self) -> (Self, Self) {
        let product = u128::from(self) * u128::from(by);
        (product as Self, (product >> 64) as Self)
    }
}

/// All random streams of one replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    key: [u64; 2],
}

impl Streams {
    /// The streams of `replication` (numbered from 0) under `seed`.
    #[must_use]
    pub const fn new(seed: u64, replication: u64) -> Self {
        Self { key: [seed, replication] }
    }

    /// The first words of four purposes of an entity at once: those of `block` are 4·block … 4·block + 3.
    ///
    /// Word `i` equals the first word of [`Self::draws`] for purpose 4·block + i.
    #[inline]
    #[must_use]
    pub fn block(&self, kind: Kind, id: u64, block: u8) -> [u64; 4] {
        philox4x64_10([id, u64::from(block), kind as u64, 0], self.key)
    }

    /// The stream of one purpose of an entity.
    #[inline]
    #[must_use]
    pub fn draws(&self, kind: Kind, id: u64, purpose: Purpose) -> Draws {
        let purpose = purpose as u8;
        let first = self.block(kind, id, purpose / LANES)[usize::from(purpose % LANES)];
        self.resume(kind as u64, id, purpose, first)
    }

    /// The stream of the `nth` occasion (from 0) of a purpose that recurs: a second ring, a third menu.
    #[must_use]
    pub fn draws_nth(&self, kind: Kind, id: u64, purpose: Purpose, nth: u32) -> Draws {
        let (owner, purpose) = (kind as u64 | u64::from(nth) << 8, purpose as u8);
        let block = philox4x64_10([id, u64::from(purpose / LANES), owner, 0], self.key);
        self.resume(owner, id, purpose, block[usize::from(purpose % LANES)])
    }

    /// As [`Self::draws`], where the first word is already known from [`Self::block`].
    #[inline]
    #[must_use]
    pub fn draws_from(&self, kind: Kind, id: u64, purpose: Purpose, first: u64) -> Draws {
        self.resume(kind as u64, id, purpose as u8, first)
    }

    #[inline]
    fn resume(&self, owner: u64, id: u64, purpose: u8, first: u64) -> Draws {
        Draws { key: self.key, id, purpose, owner, used: 0, first, rest: [0; 4] }
    }
}

/// The numbers of one purpose of one entity, from the first on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    key: [u64; 2],
    id: u64,
    purpose: u8,
    /// The kind, and the occasion above it.
    owner: u64,
    used: u32,
    first: u64,
    rest: [u64; 4],
}

impl Draws {
    /// Words after the first come from blocks of the purpose's own (the counter's last word is not 0 there).
    #[cold]
    #[inline(never)]
    fn further(&mut self) -> u64 {
        let index = self.used - 1;
        let lane = (index % 4) as usize;
        if lane == 0 {
            let counter = [self.id, u64::from(self.purpose), self.owner, u64::from(index / 4) + 1];
            self.rest = philox4x64_10(counter, self.key);
        }
        self.used += 1;
        self.rest[lane]
    }
}

impl Draw for Draws {
    #[inline]
    fn next_u64(&mut self) -> u64 {
        if self.used == 0 {
            self.used = 1;
            return self.first;
        }
        self.further()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the authors' Random123 library, file `tests/kat_vectors`.
    #[test]
    fn philox_known_answers() {
        assert_eq!(
            philox4x64_10([0; 4], [0; 2]),
            [0x1655_4d9e_ca36_314c, 0xdb20_fe9d_672d_0fdc, 0xd7e7_72ce_e186_176b, 0x7e68_b68a_ec7b_a23b]
        );
        assert_eq!(
            philox4x64_10([u64::MAX; 4], [u64::MAX; 2]),
            [0x87b0_92c3_013f_e90b, 0x438c_3c67_be8d_0224, 0x9cc7_d7c6_9cd7_77b6, 0xa09c_aebf_594f_0ba0]
        );
        assert_eq!(
            philox4x64_10(
                [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89],
                [0x4528_21e6_38d0_1377, 0xbe54_66cf_34e9_0c6c]
            ),
            [0xa528_f454_03e6_1d95, 0x38c7_2dbd_566e_9788, 0xa5a1_610e_72fd_18b5, 0x57bd_43b5_e52b_7fe6]
        );
    }

    #[test]
    fn a_purpose_is_its_lane_of_the_block() {
        let streams = Streams::new(7, 3);
        let block = streams.block(Kind::Customer, 42, 0);
        let purposes = [Purpose::Arrival, Purpose::Patience, Purpose::Talk, Purpose::AfterCall];
        for (word, purpose) in block.into_iter().zip(purposes) {
            assert_eq!(streams.draws(Kind::Customer, 42, purpose).next_u64(), word);
        }
        let talk = streams.draws(Kind::Customer, 42, Purpose::Talk);
        for occasion in 0..3 {
            let nth = streams.draws_nth(Kind::Customer, 42, Purpose::Talk, occasion);
            assert_eq!(nth == talk, occasion == 0);
        }
        assert_eq!(streams.draws_from(Kind::Customer, 42, Purpose::Talk, block[2]), talk);
    }

    #[test]
    fn no_two_streams_share_a_word() {
        let mut seen = std::collections::BTreeSet::new();
        let mut count = 0;
        for seed in 0..2 {
            for replication in 0..3 {
                let streams = Streams::new(seed, replication);
                for kind in [Kind::Source, Kind::Customer, Kind::Operator] {
                    for id in 0..5 {
                        for purpose in [Purpose::Arrival, Purpose::Patience, Purpose::Hold, Purpose::Other] {
                            let mut draws = streams.draws(kind, id, purpose);
                            for _ in 0..9 {
                                seen.insert(draws.next_u64());
                                count += 1;
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(seen.len(), count);
    }

    /// χ² of the top byte over consecutive customers' first words: 255 degrees of freedom, 99.99 % point 347.7.
    #[test]
    fn consecutive_entities_are_uniform() {
        let streams = Streams::new(1, 0);
        let mut counts = [0_u32; 256];
        let n = 200_000;
        for id in 0..n {
            counts[(streams.draws(Kind::Customer, id, Purpose::Patience).next_u64() >> 56) as usize] += 1;
        }
        let expected = n as f64 / 256.0;
        let chi2: f64 = counts.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
        assert!(chi2 < 347.7, "{chi2}");
    }
}
