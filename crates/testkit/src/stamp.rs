//! A clock in the picture that a machine reads: the measure of glass-to-glass delay.
//!
//! The test card (`--source test`) draws it into every frame, and whoever sees the frame, be it a
//! recording, an RTMP server or a browser, compares it with its own clock.
//!
//! **Format.** One row of [`CELLS`] square cells from the top left corner of the picture. A cell is
//! `width / 64` pixels wide and high (20 at 1280, 10 at 640; rounded down). Dark is limited-range luma
//! 16, bright is 235, chroma is neutral. From left to right:
//!
//! | cells | hold |
//! | --- | --- |
//! | 0–1 | bright, dark: the start mark |
//! | 2–33 | Unix time of the frame's capture in milliseconds, modulo 2³², most significant bit first; bright is 1 |
//! | 34–37 | the exclusive or of that number's eight nibbles, most significant bit first |
//! | 38–39 | dark, bright: the end mark |
//!
//! A cell is read by the mean of its middle quarter, so that compression and scaling do not matter.

/// Cells in the row.
pub const CELLS: usize = 40;

/// The same reader for a page: defines `readStamp(video)`, which gives the number, or null.
pub const READ_IN_PAGE: &str = include_str!("stamp.js");

/// Luma from which a cell counts as bright.
const BRIGHT_FROM: u32 = 126;

/// Width and height of a cell in pixels, for a picture `width` pixels wide.
pub fn cell_size(width: usize) -> usize {
    width / 64
}

/// The row of cells for a frame that was captured at `unix_ms`; true is bright.
pub fn cells(unix_ms: u64) -> [bool; CELLS] {
    let value = (unix_ms & 0xffff_ffff) as u32;
    let word = (u64::from(value) << 4) | u64::from(check(value));
    let mut row = [false; CELLS];
    row[0] = true;
    row[CELLS - 1] = true;
    for (index, cell) in row[2..38].iter_mut().enumerate() {
        *cell = (word >> (35 - index)) & 1 == 1;
    }
    row
}

/// Reads the stamp from the luma plane of a picture of `width` pixels, `stride` bytes a row.
///
/// Nothing when marks or check do not fit: no stamp there, or too damaged to be trusted.
pub fn read_luma(luma: &[u8], stride: usize, width: usize) -> Option<u32> {
    let size = cell_size(width);
    if size < 2 || luma.len() < stride * size {
        return None;
    }
    let bright = |cell: usize| {
        let quarter = (size / 4).max(1);
        let (from, to) = (size / 2 - quarter.min(size / 2), size / 2 + quarter);
        let mut sum = 0_u32;
        let mut count = 0_u32;
        for y in from..to {
            for x in from..to {
                sum += u32::from(luma[y * stride + cell * size + x]);
                count += 1;
            }
        }
        sum >= count * BRIGHT_FROM
    };
    if !bright(0) || bright(1) || bright(38) || !bright(39) {
        return None;
    }
    let word = (2..38).fold(0_u64, |word, cell| (word << 1) | u64::from(bright(cell)));
    let value = (word >> 4) as u32;
    (check(value) == (word & 0xf) as u32).then_some(value)
}

/// Milliseconds between capture and `now_unix_ms`; negative when the stamp is ahead of the clock.
pub fn age_ms(stamp: u32, now_unix_ms: u64) -> i32 {
    // The stamp wraps every 49 days; the wrapped difference read as signed is right for ±24 days.
    ((now_unix_ms & 0xffff_ffff) as u32).wrapping_sub(stamp) as i32
}

fn check(value: u32) -> u32 {
    (0..8).fold(0, |sum, nibble| sum ^ ((value >> (4 * nibble)) & 0xf))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(unix_ms: u64, width: usize) -> Vec<u8> {
        let size = cell_size(width);
        let mut luma = vec![90_u8; width * size];
        for (cell, bright) in cells(unix_ms).into_iter().enumerate() {
            for y in 0..size {
                for x in 0..size {
                    luma[y * width + cell * size + x] = if bright { 235 } else { 16 };
                }
            }
        }
        luma
    }

    #[test]
    fn what_was_drawn_is_read_at_every_size() {
        for width in [320, 640, 854, 1280, 1920, 3840] {
            for unix_ms in [0, 1, 0xffff_ffff, 1_795_000_000_123, 0x1_2345_6789] {
                let read = read_luma(&picture(unix_ms, width), width, width);
                assert_eq!(read, Some((unix_ms & 0xffff_ffff) as u32), "{unix_ms} at {width}");
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_refused() {
        let mut luma = picture(1_795_000_000_123, 1280);
        for y in 0..20 {
            for x in 0..20 {
                let at = y * 1280 + 12 * 20 + x;
                luma[at] = 251 - luma[at];
            }
        }
        assert_eq!(read_luma(&luma, 1280, 1280), None, "the check must not fit");
    }

    #[test]
    fn a_picture_without_a_stamp_is_refused() {
        for grey in [0, 16, 128, 235] {
            assert_eq!(read_luma(&vec![grey; 1280 * 20], 1280, 1280), None, "flat {grey}");
        }
        assert_eq!(read_luma(&[], 0, 0), None, "nothing at all");
    }

    #[test]
    fn the_age_survives_the_wrap() {
        assert_eq!(age_ms(0xffff_fff0, 0x1_0000_0010), 32);
        assert_eq!(age_ms(100, 90), -10);
    }
}
