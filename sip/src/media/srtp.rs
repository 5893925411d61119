//! SRTP and SRTCP (RFC 3711) with AES-CM-128 and HMAC-SHA1-80: one direction of one session.

use super::rtp;
use crate::sdp::SrtpKey;
use aes::Aes128;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use hmac::{Hmac, Mac};
use sha1::Sha1;

type Ctr = StreamCipherCoreWrapper<ctr::CtrCore<Aes128, ctr::flavors::Ctr128BE>>;

/// The length of an authentication tag.
pub const TAG: usize = 10;

/// Keys of RTP or of RTCP.
struct Keys {
    cipher: Aes128,
    salt: [u8; 14],
    mac: Hmac<Sha1>,
}

impl Keys {
    /// Derives session keys (RFC 3711 section 4.3), with labels 0 to 2 for RTP and 3 to 5 for RTCP.
    fn derive(master: &SrtpKey, first_label: u8) -> Self {
        let key = Aes128::new(&master.key.into());
        let block = |label: u8, out: &mut [u8]| {
            let mut iv = [0; 16];
            iv[..14].copy_from_slice(&master.salt);
            iv[7] ^= label;
            out.fill(0);
            stream(&key, iv).apply_keystream(out);
        };
        let (mut session, mut auth, mut salt) = ([0; 16], [0; 20], [0; 14]);
        block(first_label, &mut session);
        block(first_label + 1, &mut auth);
        block(first_label + 2, &mut salt);
        let mac = <Hmac<Sha1> as Mac>::new_from_slice(&auth).expect("HMAC takes keys of any length");
        Self { cipher: Aes128::new(&session.into()), salt, mac }
    }

    fn apply(&self, ssrc: u32, index: u64, data: &mut [u8]) {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        for (at, byte) in ssrc.to_be_bytes().iter().enumerate() {
            iv[4 + at] ^= byte;
        }
        for (at, byte) in index.to_be_bytes()[2..].iter().enumerate() {
            iv[8 + at] ^= byte;
        }
        stream(&self.cipher, iv).apply_keystream(data);
    }

    fn tag(&self, data: &[u8], more: &[u8]) -> [u8; TAG] {
        let mut mac = self.mac.clone();
        mac.update(data);
        mac.update(more);
        let full = mac.finalize().into_bytes();
        let mut tag = [0; TAG];
        tag.copy_from_slice(&full[..TAG]);
        tag
    }
}

fn stream(cipher: &Aes128, iv: [u8; 16]) -> Ctr {
    StreamCipherCoreWrapper::from_core(ctr::CtrCore::inner_iv_init(cipher.clone(), &iv.into()))
}

/// One direction: either protects or opens, never both.
pub struct Srtp {
    rtp: Keys,
    rtcp: Keys,
    /// Of the sender that is followed; another one begins anew.
    ssrc: Option<u32>,
    /// The highest index so far: rollover counter and sequence number.
    highest: u64,
    window: u64,
    rtcp_index: u32,
    rtcp_highest: u32,
    rtcp_window: u64,
}

impl std::fmt::Debug for Srtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Srtp").field("ssrc", &self.ssrc).finish_non_exhaustive()
    }
}

impl Srtp {
    /// A direction with that master key.
    #[must_use]
    pub fn new(master: &SrtpKey) -> Self {
        Self {
            rtp: Keys::derive(master, 0),
            rtcp: Keys::derive(master, 3),
            ssrc: None,
            highest: 0,
            window: 0,
            rtcp_index: 0,
            rtcp_highest: 0,
            rtcp_window: 0,
        }
    }

    /// The index of a sequence number, nearest to the highest so far (RFC 3711 section 3.3.1).
    fn index(&self, sequence: u16) -> u64 {
        let roc = self.highest >> 16;
        let last = self.highest & 0xffff;
        let sequence = u64::from(sequence);
        let roc = if last < 0x8000 && sequence > last + 0x8000 {
            roc.saturating_sub(1)
        } else if last >= 0x8000 && sequence + 0x8000 < last {
            roc + 1
        } else {
            roc
        };
        roc << 16 | sequence
    }

    /// Encrypts a packet in place and appends its tag. Bytes that are no RTP are left alone.
    pub fn protect(&mut self, packet: &mut Vec<u8>) {
        let Some((start, sequence, ssrc)) = parts(packet) else { return };
        if self.ssrc != Some(ssrc) {
            self.ssrc = Some(ssrc);
            self.highest = u64::from(sequence);
        }
        let index = self.index(sequence);
        self.highest = self.highest.max(index);
        self.rtp.apply(ssrc, index, &mut packet[start..]);
        let tag = self.rtp.tag(packet, &roc_bytes(index));
        packet.extend_from_slice(&tag);
    }

    /// Checks and decrypts a packet in place; gives its length without the tag, or `None` if it is forged, replayed or no SRTP.
    pub fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        let (start, sequence, ssrc) = parts(packet)?;
        let end = packet.len().checked_sub(TAG).filter(|&end| end >= start)?;
        let known = self.ssrc == Some(ssrc);
        let index = if known { self.index(sequence) } else { u64::from(sequence) };
        if known && index <= self.highest && is_seen(self.highest - index, self.window) {
            return None;
        }
        let tag = self.rtp.tag(&packet[..end], &roc_bytes(index));
        if !equal(&tag, &packet[end..]) {
            return None;
        }
        if known {
            see(&mut self.highest, &mut self.window, index);
        } else {
            self.ssrc = Some(ssrc);
            (self.highest, self.window) = (index, 1);
        }
        self.rtp.apply(ssrc, index, &mut packet[start..end]);
        Some(end)
    }

    /// Encrypts an RTCP packet in place and appends its index and tag.
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) {
        let Some(ssrc) = packet.get(4..8).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes) else { return };
        self.rtcp_index = (self.rtcp_index + 1) & 0x7fff_ffff;
        self.rtcp.apply(ssrc, u64::from(self.rtcp_index), &mut packet[8..]);
        packet.extend_from_slice(&(self.rtcp_index | 0x8000_0000).to_be_bytes());
        let tag = self.rtcp.tag(packet, &[]);
        packet.extend_from_slice(&tag);
    }

    /// Checks and decrypts an RTCP packet in place; gives its length.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Option<usize> {
        let end = packet.len().checked_sub(TAG + 4).filter(|&end| end >= 8)?;
        let word = u32::from_be_bytes(packet.get(end..end + 4)?.try_into().ok()?);
        let tag = self.rtcp.tag(&packet[..end + 4], &[]);
        if !equal(&tag, &packet[end + 4..]) {
            return None;
        }
        let index = word & 0x7fff_ffff;
        let mut highest = u64::from(self.rtcp_highest);
        if u64::from(index) <= highest && is_seen(highest - u64::from(index), self.rtcp_window) {
            return None;
        }
        see(&mut highest, &mut self.rtcp_window, u64::from(index));
        self.rtcp_highest = u32::try_from(highest).unwrap_or(u32::MAX);
        if word & 0x8000_0000 != 0 {
            let ssrc = u32::from_be_bytes(packet[4..8].try_into().ok()?);
            self.rtcp.apply(ssrc, u64::from(index), &mut packet[8..end]);
        }
        Some(end)
    }
}

fn parts(packet: &[u8]) -> Option<(usize, u16, u32)> {
    let start = rtp::header_length(packet)?;
    let sequence = u16::from_be_bytes(packet.get(2..4)?.try_into().ok()?);
    let ssrc = u32::from_be_bytes(packet.get(8..12)?.try_into().ok()?);
    Some((start, sequence, ssrc))
}

fn roc_bytes(index: u64) -> [u8; 4] {
    let [.., a, b, c, d, _, _] = index.to_be_bytes();
    [a, b, c, d]
}

/// Whether a packet so far behind the highest was seen, or is too old to say.
const fn is_seen(back: u64, window: u64) -> bool {
    back >= 64 || window & (1 << back) != 0
}

fn see(highest: &mut u64, window: &mut u64, index: u64) {
    if index > *highest {
        let ahead = index - *highest;
        *window = if ahead < 64 { *window << ahead | 1 } else { 1 };
        *highest = index;
    } else if *highest - index < 64 {
        *window |= 1 << (*highest - index);
    }
}

fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let mut out = [0; N];
        for (at, byte) in out.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap();
        }
        out
    }

    #[test]
    fn the_keys_of_rfc_3711_appendix_b_3() {
        let master =
            SrtpKey { key: bytes("E1F97A0D3E018BE0D64FA32C06DE4139"), salt: bytes("0EC675AD498AFEEBB6960B3AABE6") };
        let keys = Keys::derive(&master, 0);
        let mut zero = [0; 16];
        stream(&Aes128::new(&bytes::<16>("C61E7A93744F39EE10734AFE3FF7A087").into()), [0; 16])
            .apply_keystream(&mut zero);
        let mut ours = [0; 16];
        stream(&keys.cipher, [0; 16]).apply_keystream(&mut ours);
        assert_eq!(ours, zero);
        assert_eq!(keys.salt, bytes("30CBBC08863D8C85D49DB34A9AE1"));
        let auth = bytes::<20>("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
        let expected = <Hmac<Sha1> as Mac>::new_from_slice(&auth).unwrap().chain_update(b"x").finalize().into_bytes();
        assert_eq!(keys.tag(b"x", &[]), expected[..TAG]);
    }

    #[test]
    fn the_keystream_of_rfc_3711_appendix_b_2() {
        let keys = Keys {
            cipher: Aes128::new(&bytes::<16>("2B7E151628AED2A6ABF7158809CF4F3C").into()),
            salt: bytes("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"),
            mac: <Hmac<Sha1> as Mac>::new_from_slice(&[]).unwrap(),
        };
        let mut out = [0; 32];
        keys.apply(0, 0, &mut out);
        assert_eq!(out, bytes::<32>("E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"));
    }

    fn pair() -> (Srtp, Srtp) {
        let master = SrtpKey::from_bytes([9; 30]);
        (Srtp::new(&master), Srtp::new(&master))
    }

    fn packet(sequence: u16) -> Vec<u8> {
        let mut out = Vec::new();
        rtp::write_header(&mut out, false, 0, sequence, 160, 77);
        out.extend_from_slice(b"hello");
        out
    }

    #[test]
    fn opens_once_across_the_rollover_and_nothing_forged() {
        let (mut sender, mut receiver) = pair();
        for n in 0..200_u16 {
            let plain = packet(65_400_u16.wrapping_add(n));
            let mut sent = plain.clone();
            sender.protect(&mut sent);
            assert_ne!(sent[12..17], plain[12..]);
            let mut forged = sent.clone();
            forged[13] ^= 1;
            assert_eq!(receiver.open(&mut forged), None);
            let mut replay = sent.clone();
            let length = receiver.open(&mut sent).expect("it is ours");
            assert_eq!(sent[..length], plain);
            assert_eq!(receiver.open(&mut replay), None);
        }
    }

    #[test]
    fn reports_too() {
        let (mut sender, mut receiver) = pair();
        let plain = vec![0x80, 201, 0, 1, 0, 0, 0, 77, 1, 2, 3, 4];
        for _ in 0..3 {
            let mut sent = plain.clone();
            sender.protect_rtcp(&mut sent);
            let mut replay = sent.clone();
            let length = receiver.open_rtcp(&mut sent).unwrap();
            assert_eq!(sent[..length], plain);
            assert_eq!(receiver.open_rtcp(&mut replay), None);
        }
        for cut in 0..30 {
            assert_eq!(receiver.open(&mut vec![0x80; cut]), None);
            assert_eq!(receiver.open_rtcp(&mut vec![0x80; cut]), None);
        }
    }
}
