//! G.711 (ITU-T G.711): µ-law and A-law, by tables made at compile time.

/// µ-law of a sample.
#[must_use]
pub const fn ulaw_encode(sample: i16) -> u8 {
    const BIAS: u16 = 0x84;
    const CLIP: u16 = 32_635;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let mut magnitude = sample.unsigned_abs();
    if magnitude > CLIP {
        magnitude = CLIP;
    }
    let magnitude = magnitude + BIAS;
    // 7 for bit 14, 0 for bit 7.
    let exponent = 8 - magnitude.leading_zeros();
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | low_byte((u32_to_u16(exponent) << 4) | mantissa))
}

/// The sample of a µ-law byte.
#[must_use]
pub const fn ulaw_decode(byte: u8) -> i16 {
    ULAW[byte as usize]
}

/// A-law of a sample.
#[must_use]
pub const fn alaw_encode(sample: i16) -> u8 {
    // Positive values have the sign bit set.
    let (sign, magnitude) = if sample >= 0 { (0x80, sample.unsigned_abs()) } else { (0, (!sample).unsigned_abs()) };
    let exponent = if magnitude > 0xff { 8 - magnitude.leading_zeros() } else { 0 };
    let mantissa = if exponent == 0 { magnitude >> 4 } else { (magnitude >> (exponent + 3)) & 0x0f };
    (sign | low_byte((u32_to_u16(exponent) << 4) | mantissa)) ^ 0x55
}

/// The sample of an A-law byte.
#[must_use]
pub const fn alaw_decode(byte: u8) -> i16 {
    ALAW[byte as usize]
}

/// A-law of a µ-law byte.
#[must_use]
pub const fn ulaw_to_alaw(byte: u8) -> u8 {
    TO_ALAW[byte as usize]
}

/// µ-law of an A-law byte.
#[must_use]
pub const fn alaw_to_ulaw(byte: u8) -> u8 {
    TO_ULAW[byte as usize]
}

const fn low_byte(value: u16) -> u8 {
    value.to_le_bytes()[0]
}

const fn u32_to_u16(value: u32) -> u16 {
    let bytes = value.to_le_bytes();
    u16::from_le_bytes([bytes[0], bytes[1]])
}

static ULAW: [i16; 256] = table(false);
static ALAW: [i16; 256] = table(true);
static TO_ALAW: [u8; 256] = transcoding(false);
static TO_ULAW: [u8; 256] = transcoding(true);

const fn table(alaw: bool) -> [i16; 256] {
    let mut out = [0; 256];
    let mut byte: u8 = 0;
    loop {
        out[byte as usize] = if alaw { alaw_value(byte) } else { ulaw_value(byte) };
        if byte == 255 {
            return out;
        }
        byte += 1;
    }
}

const fn ulaw_value(byte: u8) -> i16 {
    let byte = !byte;
    let exponent = (byte >> 4) & 7;
    let mantissa = (byte & 0x0f) as i16;
    let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    if byte & 0x80 != 0 { -magnitude } else { magnitude }
}

const fn alaw_value(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let exponent = (byte >> 4) & 7;
    let mantissa = (byte & 0x0f) as i16;
    let magnitude = if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 0x108) << (exponent - 1) };
    if byte & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn transcoding(from_alaw: bool) -> [u8; 256] {
    let mut out = [0; 256];
    let mut byte: u8 = 0;
    loop {
        out[byte as usize] = if from_alaw { ulaw_encode(alaw_value(byte)) } else { alaw_encode(ulaw_value(byte)) };
        if byte == 255 {
            return out;
        }
        byte += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // Silence and the extremes of both laws.
        assert_eq!((ulaw_encode(0), ulaw_decode(0xff)), (0xff, 0));
        assert_eq!((ulaw_encode(32_767), ulaw_decode(0x80)), (0x80, 32_124));
        assert_eq!((ulaw_encode(-32_768), ulaw_decode(0x00)), (0x00, -32_124));
        assert_eq!((alaw_encode(0), alaw_decode(0xd5)), (0xd5, 8));
        assert_eq!((alaw_encode(32_767), alaw_decode(0xaa)), (0xaa, 32_256));
        assert_eq!((alaw_encode(-32_768), alaw_decode(0x2a)), (0x2a, -32_256));
    }

    #[test]
    fn every_code_decodes_and_encodes_to_itself() {
        for byte in 0..=255_u8 {
            assert_eq!(alaw_encode(alaw_decode(byte)), byte);
            // µ-law has two zeros.
            let again = ulaw_encode(ulaw_decode(byte));
            assert!(again == byte || byte == 0x7f && again == 0xff, "{byte:#x} {again:#x}");
        }
    }

    #[test]
    fn the_error_is_within_a_step() {
        for sample in i16::MIN..=i16::MAX {
            let step = (i32::from(sample).abs() / 16).max(16);
            for value in [ulaw_decode(ulaw_encode(sample)), alaw_decode(alaw_encode(sample))] {
                let error = (i32::from(value) - i32::from(sample)).abs();
                assert!(error <= step.max(650), "{sample} {value}");
            }
        }
    }
}
